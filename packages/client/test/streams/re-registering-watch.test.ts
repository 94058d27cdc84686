import { expect, test } from "vitest";
import { ZkError } from "../../src/errors.js";
import type { NodeEvent, WatchListener } from "../../src/session/index.js";
import { ReRegisteringWatch } from "../../src/streams/re-registering-watch.js";
import { NO_STAT } from "../simulation/simulated-ensemble.js";

test("a change that is looked at when the session ends is looked at in the next one", async () => {
  let watcher: WatchListener = () => undefined;
  let version = 1n;
  let isExpired = false;
  const reads = {
    exists: async (_: string, { watch }: { watch: WatchListener }) => {
      if (isExpired) throw new ZkError({ code: "SESSION_EXPIRED", outcome: "not-applied", operation: "exists" });
      watcher = watch;
      return { ...NO_STAT, czxid: 1n, mzxid: version };
    },
    getChildrenWithStat: async () => ({ children: [], stat: NO_STAT }),
  };
  const told: NodeEvent[] = [];
  const watch = new ReRegisteringWatch(reads, "/a", false, (event) => told.push(event));
  await watch.open();
  const change = async (): Promise<void> => {
    version++;
    watcher({ kind: "dataChanged", path: "/a", zxid: version });
    await new Promise((resolve) => setImmediate(resolve));
  };
  isExpired = true;
  await change();
  expect(told).toEqual([]);
  isExpired = false;
  watch.onSessionEvent({ kind: "session", state: "connected" });
  await new Promise((resolve) => setImmediate(resolve));
  await change();
  expect(told.map(({ kind, zxid }) => [kind, zxid])).toEqual([
    ["dataChanged", 2n],
    ["dataChanged", 3n],
  ]);
});
