import { ByteWriter, FrameSplitter, writeElectionGreeting } from "@watchkeeper/wire";
import { ElectionConnections, type ElectionConnectionsParts } from "../../src/ensemble/election-connections.js";
import type { PeerSocket } from "../../src/ports/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryNetwork } from "../../src/testing/memory-network.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { EnsembleConfig } from "../../src/zab/index.js";
import { TurnedTime } from "../support/turned-time.js";

export const ELECTION_PORT = 3888;

/** Machines `host1`, `host2`, ... in a network in memory, with election connections on some of them. */
export class ElectionMachines {
  readonly time = new TurnedTime();
  readonly network: MemoryNetwork;
  readonly config: EnsembleConfig;
  private readonly started: Machine[] = [];

  constructor(options: { sids?: readonly number[]; seed?: number; config?: EnsembleConfig } = {}) {
    const { clock, scheduler } = this.time;
    this.network = new MemoryNetwork({ clock, scheduler, random: new SeededRandom(options.seed ?? 1) });
    const lines = (options.sids ?? [1, 2, 3]).map((sid) => `server.${sid}=host${sid}:2888:${ELECTION_PORT}`);
    this.config = options.config ?? EnsembleConfig.parse(lines.join("\n"));
  }

  /** Server `sid` on `host<sid>`, listening. */
  async start(sid: number, changes: Partial<ElectionConnectionsParts> = {}): Promise<Machine> {
    const machine = new Machine(this, sid, changes);
    this.started.push(machine);
    await machine.connections.start();
    return machine;
  }

  /** A server played by the test. */
  plain(sid: number): PlainServer {
    return new PlainServer(this, `host${sid}`);
  }

  async stop(): Promise<void> {
    for (const machine of this.started) await machine.connections.stop();
  }
}

export class Machine {
  readonly connections: ElectionConnections;
  readonly log = new KeptLines();
  /** `sid: text`, in the order in which they came. */
  readonly messages: string[] = [];

  constructor(machines: ElectionMachines, sid: number, changes: Partial<ElectionConnectionsParts>) {
    const { network, time, config } = machines;
    this.connections = new ElectionConnections({
      myid: sid,
      config,
      network: network.of(`host${sid}`),
      scheduler: time.scheduler,
      logger: this.log,
      connectTimeoutMs: 5000,
      handshakeTimeoutMs: 3000,
      bindRetries: 3,
      listensOnAllAddresses: false,
      multiAddress: false,
      ...changes,
    });
    this.connections.onMessage = (from, bytes, start, end) => {
      this.messages.push(`${from}: ${Buffer.from(bytes.subarray(start, end)).toString()}`);
    };
  }

  send(sid: number, text: string): void {
    this.connections.send(sid, frameOf(text));
  }
}

/** One end of a connection, with what came over it. */
export interface PlainEnd {
  readonly socket: PeerSocket;
  readonly received: number[];
  closed: boolean;
}

export class PlainServer {
  /** Connections made to this server. */
  readonly accepted: PlainEnd[] = [];
  private readonly machines: ElectionMachines;
  private readonly name: string;

  constructor(machines: ElectionMachines, name: string) {
    this.machines = machines;
    this.name = name;
  }

  async listen(): Promise<this> {
    const network = this.machines.network.of(this.name);
    await network.listen({ host: this.name, port: ELECTION_PORT }, (socket) => this.accepted.push(plainEnd(socket)));
    return this;
  }

  async dial(sid: number): Promise<PlainEnd> {
    const ends: PlainEnd[] = [];
    const network = this.machines.network.of(this.name);
    const dialed = network.dial({ host: `host${sid}`, port: ELECTION_PORT }, 5000).then((socket) => {
      ends.push(plainEnd(socket));
    });
    await this.machines.time.until(() => ends.length > 0);
    await dialed;
    return ends[0]!;
  }
}

function plainEnd(socket: PeerSocket): PlainEnd {
  const end: PlainEnd = { socket, received: [], closed: false };
  socket.start({
    onBytes: (bytes) => {
      end.received.push(...bytes);
    },
    onDrained() {},
    onClosed: () => {
      end.closed = true;
    },
  });
  return end;
}

export function frameOf(text: string): Uint8Array {
  const writer = new ByteWriter(64);
  writer.buffer(Buffer.from(text));
  return writer.view();
}

export function greetingOf(sid: number, ...hosts: string[]): Uint8Array {
  const writer = new ByteWriter(64);
  const addresses = hosts.length === 0 ? [`host${sid}`] : hosts;
  writeElectionGreeting(
    writer,
    sid,
    addresses.map((host) => ({ host, port: ELECTION_PORT })),
  );
  return writer.view();
}

/** What stands in the frames behind a greeting of so many bytes. */
export function textsBehind(end: PlainEnd, greeting: Uint8Array): string[] {
  const frames = new FrameSplitter(1 << 20);
  frames.push(Uint8Array.from(end.received.slice(greeting.length)));
  const texts: string[] = [];
  while (frames.next()) texts.push(Buffer.from(frames.bytes.subarray(frames.start, frames.end)).toString());
  return texts;
}
