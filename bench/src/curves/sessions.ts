import { type BulkSession, closeSessions, openSessions } from "../load/bulk-session.js";
import { flatKeys } from "../load/key-space.js";
import { parseLoad } from "../load/load-spec.js";
import { createNode, layKeys, withSession } from "../load/nodes.js";
import { nodeData } from "../load/request-frames.js";
import { runLoad } from "../load/run-load.js";
import { type Curve, GET_SET_PANELS, RESIDENT_PANEL } from "./curve.js";
import { measureGetAndSet } from "./get-and-set.js";

const ROOT = "/bench";
const KEYS = 1000;

export const sessions: Curve = {
  name: "sessions",
  title: "As sessions are open",
  sizeLabel: "sessions",
  method:
    'So many sessions are open and only ping, every 8 seconds; 50 further ones carry the gets and sets. "All of them get" is another load: the idle ones are closed and as many sessions each get without a pause, so that its latency is mostly the queue of so many.',
  sizes: [10, 100, 1000, 10_000],
  panels: [
    {
      ...GET_SET_PANELS[0]!,
      measures: [...GET_SET_PANELS[0]!.measures, { key: "allGetPerSecond", label: "all of them get" }],
    },
    GET_SET_PANELS[1]!,
    RESIDENT_PANEL,
    { title: "Opening", unit: "sessions/s", measures: [{ key: "openedPerSecond", label: "opened" }] },
  ],
  async *measure(home, run) {
    const value = nodeData(100);
    await withSession(home.target, async (session) => {
      await createNode(session, ROOT, value);
      await layKeys(session, flatKeys(ROOT), 0, KEYS, value);
    });
    const where = { root: ROOT, keys: KEYS, nested: false };
    for (const size of run.sizes) {
      const startedMs = performance.now();
      const idle: BulkSession[] = await openSessions(home.target, size);
      const openedPerSecond = (size / (performance.now() - startedMs)) * 1000;
      const figures = await measureGetAndSet(home, run, where);
      const lost = idle.filter((session) => !session.isOpen).length;
      if (lost > 0) throw new Error(`${lost} of ${size} sessions that only pinged were lost`);
      await closeSessions(idle);
      const all = { ...parseLoad(`get -c ${size}`, run.warmupSeconds, run.seconds), ...where };
      const everyone = await runLoad({ target: home.target, pid: home.pid, workers: run.workers }, all);
      yield { size, values: { ...figures, openedPerSecond, allGetPerSecond: everyone.opsPerSecond } };
    }
  },
};
