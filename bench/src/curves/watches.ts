import { ERR } from "@watchkeeper/wire";
import { closeSessions, openSessions } from "../load/bulk-session.js";
import { flatKeys, KeySpace } from "../load/key-space.js";
import { createNode, layKeys, withSession } from "../load/nodes.js";
import { frames, KeyedFrame, nodeData } from "../load/request-frames.js";
import { type Curve, GET_SET_PANELS, RESIDENT_PANEL } from "./curve.js";
import { measureGetAndSet } from "./get-and-set.js";

const ROOT = "/bench";
const KEYS = 1000;
const HOLDERS = 10;

export const watches: Curve = {
  name: "watches",
  title: "As watches are registered",
  sizeLabel: "watches",
  method: `Ten sessions hold the watches, each on a path of its own (21 characters, set by exists on a node that is not there, so that memory grows by the watches alone). Gets and sets are of ${KEYS} other nodes that nobody watches.`,
  sizes: [1, 10, 1e2, 1e3, 1e4, 1e5, 1e6],
  panels: [
    ...GET_SET_PANELS,
    RESIDENT_PANEL,
    {
      title: "Registering",
      unit: "watches/s",
      measures: [{ key: "registeredPerSecond", label: "exists with a watch" }],
    },
  ],
  async *measure(home, run) {
    const value = nodeData(100);
    await withSession(home.target, async (session) => {
      await createNode(session, ROOT, value);
      await layKeys(session, flatKeys(ROOT), 0, KEYS, value);
    });
    const holders = await openSessions(home.target, HOLDERS);
    const watched = new KeyedFrame(new KeySpace(ROOT, "/absent-#######"), (path) => frames.exists(path, true));
    let held = 0;
    for (const size of run.sizes) {
      const startedMs = performance.now();
      await Promise.all(
        holders.map((holder, i) => {
          const { first, count } = shareOf(i, held, size);
          return holder.pipeline(count, (writer, n) => watched.appendTo(writer, first + n * HOLDERS), [ERR.NO_NODE]);
        }),
      );
      const registeredPerSecond = ((size - held) / (performance.now() - startedMs)) * 1000;
      held = size;
      const figures = await measureGetAndSet(home, run, { root: ROOT, keys: KEYS, nested: false });
      yield { size, values: { ...figures, registeredPerSecond } };
    }
    await closeSessions(holders);
  },
};

/** Of the watches from `from` up to, not including, `to`, a holder has those whose last digit is its number. */
function shareOf(holder: number, from: number, to: number): { first: number; count: number } {
  const first = from + ((((holder - from) % HOLDERS) + HOLDERS) % HOLDERS);
  return { first, count: Math.max(0, Math.ceil((to - first) / HOLDERS)) };
}
