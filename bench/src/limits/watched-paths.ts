import { type Client, connect } from "@watchkeeper/client";
import type { Target } from "../load/server-connection.js";
import { CuttableWire } from "./cuttable-wire.js";
import { stateOf } from "./state-of.js";

const ROOT = "/bench-watched";
const TOGETHER = 1000;

/**
 * Milliseconds from the end of a client's connection until a server has all its watches again, each on a
 * path of its own. The server registers them before it answers anything that is asked on the new
 * connection; whether they are there is tried with events on some of them.
 */
export async function* reconnections(target: Target, paths: number, trials: number): AsyncGenerator<number> {
  const wire = await CuttableWire.to(target);
  const client = await connect(`${target.host}:${wire.port}`, { sessionTimeoutMs: 40_000 });
  const writer = await connect(`${target.host}:${target.port}`);
  let told = 0;
  const watch = (): void => {
    told++;
  };
  const watchPath = (i: number) => client.exists(pathOf(i), { watch });
  try {
    await writer.create(ROOT);
    for (let from = 0; from < paths; from += TOGETHER) {
      await Promise.all(Array.from({ length: Math.min(TOGETHER, paths - from) }, (_, i) => watchPath(from + i)));
    }
    for (let trial = 0; trial < trials; trial++) {
      told = 0;
      const tookMs = await cutAndReturn(client, wire, paths);
      const touched = [trial, Math.floor(paths / 2) + trial, paths - 1 - trial];
      const states = told; // one-shot watchers are told of the two changes of state too
      for (const i of touched) await writer.create(pathOf(i));
      await client.sync("/");
      if (told - states !== touched.length) throw new Error(`${told - states} of ${touched.length} watches came back`);
      for (const i of touched) {
        await writer.delete(pathOf(i));
        await client.sync("/");
        await watchPath(i);
      }
      yield tookMs;
    }
  } finally {
    await Promise.all([client.close(), writer.close()]);
    wire.close();
  }
}

async function cutAndReturn(client: Client, wire: CuttableWire, paths: number): Promise<number> {
  const restored = client.counters.watchesRestored;
  const suspended = stateOf(client, "suspended");
  const startedMs = performance.now();
  wire.cut();
  wire.mend();
  await suspended;
  await client.exists("/", { whenSuspended: "wait" });
  const tookMs = performance.now() - startedMs;
  const missing = paths - (client.counters.watchesRestored - restored);
  if (missing !== 0) throw new Error(`${missing} of ${paths} watches were not registered again`);
  return tookMs;
}

function pathOf(i: number): string {
  return `${ROOT}/absent-${String(i).padStart(6, "0")}`;
}
