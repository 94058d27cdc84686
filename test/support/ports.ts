/**
 * Ports for servers that are still to start, or are stopped and started again. They lie below the range from
 * which the system takes the ports of outgoing connections: a port that any socket could be given while its
 * server is down would not be free when the server comes.
 */
import { createServer } from "node:net";

/** Of each of the processes that run test files side by side: two that look at the same time find different ones. */
const COUNT = 5_000;
const PROCESSES_MAX = 4;
const LOWEST = 11_000 + (Number(process.env["VITEST_POOL_ID"] ?? 0) % PROCESSES_MAX) * COUNT;

const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on, and that no other call of this process is given. */
export async function reservePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

export async function reservePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await reservePort());
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host: "127.0.0.1", port }, () => probe.close(() => resolve(true)));
  });
}
