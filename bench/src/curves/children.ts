import { median } from "../compare/comparison.js";
import type { BulkSession } from "../load/bulk-session.js";
import { flatKeys } from "../load/key-space.js";
import { parseLoad } from "../load/load-spec.js";
import { createNode, layKeys, withSession } from "../load/nodes.js";
import { frames } from "../load/request-frames.js";
import { runLoad } from "../load/run-load.js";
import { untilQuiet } from "../servers/process-figures.js";
import { type Curve, RESIDENT_PANEL } from "./curve.js";

const PARENT = "/bench";
const LISTINGS = 9;

export const children: Curve = {
  name: "children",
  title: "As one node gets children",
  sizeLabel: "children of one node",
  method: `getChildren of the node, asked by one session: the median of ${LISTINGS} answers after one that does not count. Creates: 50 sessions that create an ephemeral child and delete it again, so that the size stays; both count.`,
  sizes: [10, 1e2, 1e3, 1e4, 1e5, 1e6],
  panels: [
    {
      title: "getChildren",
      unit: "ms",
      logarithmic: true,
      measures: [{ key: "listMs", label: "one answer" }],
    },
    {
      title: "Its reply",
      unit: "bytes",
      logarithmic: true,
      measures: [{ key: "listBytes", label: "whole frame" }],
    },
    {
      title: "Creates and deletes below it",
      unit: "operations/s",
      measures: [{ key: "churnPerSecond", label: "creates and deletes" }],
    },
    { title: "Their latency p99", unit: "µs", measures: [{ key: "churnP99Us", label: "creates and deletes" }] },
    RESIDENT_PANEL,
  ],
  async *measure(home, run) {
    let laid = 0;
    for (const size of run.sizes) {
      const listing = await withSession(home.target, async (session) => {
        await createNode(session, PARENT, new Uint8Array(0));
        await layKeys(session, flatKeys(PARENT), laid, size, new Uint8Array(0));
        await untilQuiet(home.pid);
        return listChildren(session);
      });
      laid = size;
      const load = { ...parseLoad("churn -c 50", run.warmupSeconds, run.seconds), root: PARENT };
      const churn = await runLoad({ target: home.target, pid: home.pid, workers: run.workers }, load);
      yield {
        size,
        values: {
          ...listing,
          churnPerSecond: churn.opsPerSecond,
          churnP99Us: churn.p99Us,
          rssMib: churn.rssMib ?? Number.NaN,
        },
      };
    }
  },
};

async function listChildren(session: BulkSession): Promise<{ listMs: number; listBytes: number }> {
  const list = frames.getChildren(PARENT);
  let { bytes } = await session.ask(list);
  const times: number[] = [];
  for (let i = 0; i < LISTINGS; i++) {
    const answer = await session.ask(list);
    times.push(answer.tookMs);
    bytes = answer.bytes;
  }
  return { listMs: median(times), listBytes: bytes };
}
