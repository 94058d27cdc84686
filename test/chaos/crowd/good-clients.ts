/** Clients that do an honest day's work: get and set, one after the other, as fast as they are answered. */
import { createBody, opcode, readBody, setDataBody } from "../support/jute.js";
import { processorMs } from "../support/process-memory.js";
import { RawClient, succeed } from "../support/raw-client.js";

export interface Work {
  /** What the server spent, on everything, for each operation of the good clients: unlike their throughput, little moved by what else the machine does. */
  readonly serverMicrosPerOp: number;
  readonly opsPerSecond: number;
  readonly p99Ms: number;
}

const SETS_ONE_IN = 5;

export class GoodClients {
  private readonly clients: readonly RawClient[];

  private readonly serverPid: number;

  private constructor(clients: readonly RawClient[], serverPid: number) {
    this.clients = clients;
    this.serverPid = serverPid;
  }

  static async open(
    { clientPort: port, pid }: { readonly clientPort: number; readonly pid: number },
    count: number,
  ): Promise<GoodClients> {
    const clients = await Promise.all(Array.from({ length: count }, () => RawClient.open({ port })));
    await Promise.all(
      clients.map((client, i) => succeed(client, opcode.create, createBody(`/good${i}`, Buffer.alloc(100)))),
    );
    return new GoodClients(clients, pid);
  }

  /** @throws where one is refused anything */
  async work(ms: number): Promise<Work> {
    const endMs = performance.now() + ms;
    const latencies: number[] = [];
    const processorBefore = processorMs(this.serverPid);
    await Promise.all(this.clients.map((client, i) => work(client, `/good${i}`, endMs, latencies)));
    const serverMicrosPerOp = ((processorMs(this.serverPid) - processorBefore) * 1000) / latencies.length;
    latencies.sort((a, b) => a - b);
    return {
      serverMicrosPerOp,
      opsPerSecond: (latencies.length * 1000) / ms,
      p99Ms: latencies[Math.floor(latencies.length * 0.99)]!,
    };
  }

  close(): void {
    for (const client of this.clients) client.destroy();
  }
}

async function work(client: RawClient, path: string, endMs: number, latencies: number[]): Promise<void> {
  const get = readBody(path);
  const set = setDataBody(path, Buffer.alloc(100));
  for (let i = 0; performance.now() < endMs; i++) {
    const startedMs = performance.now();
    if (i % SETS_ONE_IN === 0) await succeed(client, opcode.setData, set);
    else await succeed(client, opcode.getData, get);
    latencies.push(performance.now() - startedMs);
  }
}
