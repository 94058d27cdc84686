import { connect } from "@watchkeeper/client";

/**
 * A process of its own with many clients that do nothing but live: `idle-clients.js HOST:PORT COUNT`, with
 * --expose-gc. Prints one line of JSON: the heap and what belongs to it outside, in bytes for each client.
 */
export interface IdleClientsFigures {
  readonly bytesEach: number;
  readonly residentBytesEach: number;
  readonly openedPerSecond: number;
}

const TOGETHER = 100;
const IDLE_MS = 3000;

const [address = "", countText = ""] = process.argv.slice(2);
const count = Number(countText);
const first = await connect(address, { sessionTimeoutMs: 40_000 }); // what the first one brings along is not per client
const before = occupied();
const startedMs = performance.now();
const clients = [first];
while (clients.length <= count) {
  const more = Array.from({ length: Math.min(TOGETHER, count + 1 - clients.length) }, () =>
    connect(address, { sessionTimeoutMs: 40_000 }),
  );
  clients.push(...(await Promise.all(more)));
}
const openedPerSecond = (count / (performance.now() - startedMs)) * 1000;
await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
const after = occupied();
const lost = clients.filter(({ state }) => state !== "connected").length;
if (lost > 0) throw new Error(`${lost} of ${count} clients lost their connection while idle`);
const figures: IdleClientsFigures = {
  bytesEach: (after.bytes - before.bytes) / count,
  residentBytesEach: (after.residentBytes - before.residentBytes) / count,
  openedPerSecond,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0); // the server may end ten thousand sessions by itself

function occupied(): { bytes: number; residentBytes: number } {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { bytes: heapUsed + external, residentBytes: rss };
}
