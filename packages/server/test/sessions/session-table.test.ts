import fc from "fast-check";
import { expect, test } from "vitest";
import { SessionTable } from "../../src/sessions/index.js";

const TICK_MS = 1000;

function tableWith(timeoutMs: number, nowMs: number) {
  const table = new SessionTable(TICK_MS, nowMs);
  const session = table.add(1n, 0, 1, timeoutMs, nowMs);
  return { table, session };
}

test("a session expires at the end of the tick its timeout falls in", () => {
  const { table, session } = tableWith(4000, 10_300);
  expect(session.expiresMs).toBe(15_000);
  expect(table.expire(14_999)).toEqual([]);
  expect(table.expire(15_000)).toEqual([session]);
});

test("a timeout that ends with a tick is given that whole next tick", () => {
  expect(tableWith(4000, 10_000).session.expiresMs).toBe(15_000);
});

test("a touch puts it off, from now", () => {
  const { table, session } = tableWith(4000, 10_300);
  table.touch(session, 13_000);
  expect(table.expire(17_999)).toEqual([]);
  expect(table.expire(18_000)).toEqual([session]);
});

test("a shorter timeout after a reconnect brings it forward", () => {
  const { table, session } = tableWith(20_000, 10_000);
  session.timeoutMs = 4000;
  table.touch(session, 10_000);
  expect(table.expire(15_000)).toEqual([session]);
  expect(session.createdTimeoutMs).toBe(20_000);
});

test("a session that is closing is not touched and does not expire", () => {
  const { table, session } = tableWith(4000, 10_000);
  table.markClosing(session);
  table.touch(session, 11_000);
  expect(table.expire(100_000)).toEqual([]);
  expect(table.get(1n)).toBe(session);
  table.remove(1n);
  expect([table.get(1n), table.count]).toEqual([undefined, 0]);
});

test("adding a session that is there, as replay does, gives the one that is there", () => {
  const { table, session } = tableWith(4000, 10_000);
  expect(table.add(1n, 0, 1, 9000, 12_000)).toBe(session);
  expect(session.timeoutMs).toBe(4000);
});

test("those of one tick expire together, and dump shows the ticks in order", () => {
  const table = new SessionTable(TICK_MS, 0);
  const early = table.add(1n, 0, 1, 2100, 0);
  const together = table.add(2n, 0, 2, 2900, 0);
  const late = table.add(3n, 0, 3, 9000, 0);
  expect(table.bucketsInOrder().map(([ms, sessions]) => [ms, sessions.size])).toEqual([
    [3000, 2],
    [10_000, 1],
  ]);
  expect(table.expire(3000)).toEqual([early, together]);
  expect(table.expire(50_000)).toEqual([early, together, late].slice(2));
});

test("never early, at most a tick late: whatever is touched when", () => {
  const steps = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.integer({ min: 0, max: 1500 }), fc.boolean()), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(steps, (sequence) => {
      let nowMs = 5000;
      const table = new SessionTable(TICK_MS, nowMs);
      const heardMs = new Map<bigint, number>();
      for (const [i, timeoutMs] of [2000, 3500, 4000, 20_000].entries()) {
        table.add(BigInt(i), 0, i, timeoutMs, nowMs);
        heardMs.set(BigInt(i), nowMs);
      }
      for (const [which, passMs, touches] of sequence) {
        nowMs += passMs;
        for (const session of table.expire(nowMs)) {
          const silentMs = nowMs - heardMs.get(session.key)!;
          expect(silentMs).toBeGreaterThan(session.timeoutMs);
          table.markClosing(session);
          table.remove(session.key);
        }
        for (const session of table.all()) {
          expect(nowMs - heardMs.get(session.key)!).toBeLessThanOrEqual(session.timeoutMs + TICK_MS);
        }
        const session = table.get(BigInt(which));
        if (touches && session !== undefined) {
          table.touch(session, nowMs);
          heardMs.set(session.key, nowMs);
        }
      }
    }),
  );
});
