import { EVENT_TYPE, WATCH_TYPE } from "@watchkeeper/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WATCH_BIT, WatchTable } from "../../src/watches/index.js";
import { liveMemory } from "../support/live-memory.js";
import { NaiveWatches, type WatchKind } from "./naive-watches.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (path: Uint8Array, start: number, end: number): string =>
  Buffer.from(path.subarray(start, end)).toString();

/** A table that is spoken to in text and answers "watcher type path". */
class SpokenTable {
  readonly table = new WatchTable(7);
  private heard: string[] = [];
  private readonly sink = {
    current: "",
    onEvent: (type: number, path: Uint8Array, start: number, end: number, acl: number): void => {
      this.sink.current = `${type} ${decode(path, start, end)} acl ${acl}`;
    },
    onWatcher: (watcher: number): void => {
      this.heard.push(`${watcher}: ${this.sink.current}`);
    },
  };

  add(watcher: number, path: string, kind: WatchKind): void {
    // In the midst of other bytes, as a path in a request is.
    const bytes = encode(`xx${path}yy`);
    this.table.add(watcher, bytes, 2, bytes.length - 2, WATCH_BIT[kind]);
  }

  remove(watcher: number, path: string, type: number): boolean {
    const bytes = encode(path);
    const had = this.table.has(watcher, bytes, 0, bytes.length, type);
    expect(this.table.remove(watcher, bytes, 0, bytes.length, type)).toBe(had);
    return had;
  }

  change(kind: "created" | "deleted" | "changed", path: string): string[] {
    const bytes = encode(path);
    const parentEnd = path.lastIndexOf("/");
    this.heard = [];
    if (kind === "created") this.table.onCreated(this.sink, bytes, 0, bytes.length, 1, parentEnd, 2);
    else if (kind === "deleted") this.table.onDeleted(this.sink, bytes, 0, bytes.length, 1, parentEnd, 2);
    else this.table.onDataChanged(this.sink, bytes, 0, bytes.length, 1);
    return this.heard;
  }

  all(): string[] {
    const bitNames = Object.entries(WATCH_BIT);
    return bitNames
      .flatMap(([name, bit]) => {
        const found: string[] = [];
        this.table.forEach(bit, (watcher, path, start, end) => {
          found.push(`${watcher} ${decode(path, start, end)} ${name}`);
        });
        return found;
      })
      .sort();
  }
}

const paths = fc.constantFrom("/", "/a", "/a/b", "/a/b/c", "/ab", "/a/bc", "/z");
const nodes = fc.constantFrom("/a", "/a/b", "/a/b/c", "/ab", "/a/bc", "/z");
const kinds = fc.constantFrom<WatchKind>("data", "children", "persistent", "recursive");
const types = fc.constantFrom(...Object.values(WATCH_TYPE));
const watchers = fc.nat({ max: 3 });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant("add" as const), watchers, paths, kinds) },
    { weight: 2, arbitrary: fc.tuple(fc.constant("remove" as const), watchers, paths, types) },
    {
      weight: 5,
      arbitrary: fc.tuple(fc.constant("change" as const), fc.constantFrom("created", "deleted", "changed"), nodes),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant("leave" as const), watchers) },
  ),
  { minLength: 1, maxLength: 80 },
);

test("it wakes the same watchers in the same order of events as an obvious table of sets", () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const spoken = new SpokenTable();
      const naive = new NaiveWatches();
      const ids = [0, 1, 2, 3].map(() => spoken.table.addWatcher());
      for (const step of sequence) {
        if (step[0] === "add") {
          spoken.add(ids[step[1]]!, step[2], step[3]);
          naive.add(ids[step[1]]!, step[2], step[3]);
        } else if (step[0] === "remove") {
          expect(spoken.remove(ids[step[1]]!, step[2], step[3])).toBe(naive.remove(ids[step[1]]!, step[2], step[3]));
        } else if (step[0] === "change") {
          const woken = spoken.change(step[1] as "created", step[2]);
          expect(grouped(woken)).toEqual(grouped(naive.change(step[1] as "created", step[2])));
        } else {
          spoken.table.removeWatcher(ids[step[1]]!);
          naive.leave(ids[step[1]]!);
          ids[step[1]] = spoken.table.addWatcher();
        }
        expect(spoken.table.watchCount).toBe(naive.watchCount);
        expect(spoken.table.pathCount).toBe(naive.pathCount);
        for (const id of ids) expect(spoken.table.countOf(id)).toBe(naive.countOf(id));
      }
      expect(spoken.all()).toEqual(naive.all());
    }),
    { numRuns: 300 },
  );
});

/** Events keep their order; among the watchers of one event there is none. */
function grouped(woken: string[]): [string, string[]][] {
  const groups: [string, string[]][] = [];
  for (const one of woken) {
    const [watcher, event] = one.split(": ") as [string, string];
    const last = groups.at(-1);
    if (last?.[0] === event) last[1].push(watcher);
    else groups.push([event, [watcher]]);
  }
  return groups.map(([event, who]) => [event, who.sort()]);
}

test('a watch left by the path "" is the root\'s', () => {
  const spoken = new SpokenTable();
  const watcher = spoken.table.addWatcher();
  spoken.add(watcher, "", "children");
  expect(spoken.change("created", "/a")).toEqual([`${watcher}: ${EVENT_TYPE.nodeChildrenChanged} / acl 2`]);
});

test("the event about a node carries its ACL, the one about its parent's children the parent's", () => {
  const spoken = new SpokenTable();
  const watcher = spoken.table.addWatcher();
  spoken.add(watcher, "/a", "children");
  spoken.add(watcher, "/a/b", "data");
  expect(spoken.change("deleted", "/a/b")).toEqual([
    `${watcher}: ${EVENT_TYPE.nodeDeleted} /a/b acl 1`,
    `${watcher}: ${EVENT_TYPE.nodeChildrenChanged} /a acl 2`,
  ]);
});

test("what watchers left behind is shown to nobody, however many have come and gone", () => {
  const spoken = new SpokenTable();
  const gone = Array.from({ length: 5 }, () => spoken.table.addWatcher());
  const stays = spoken.table.addWatcher();
  for (let i = 0; i < 10; i++) spoken.add(stays, `/kept-${i}`, "data");
  for (const watcher of gone) for (let i = 0; i < 10; i++) spoken.add(watcher, `/gone-${watcher}-${i}`, "data");
  for (const watcher of gone) spoken.table.removeWatcher(watcher);

  expect(spoken.all()).toEqual(Array.from({ length: 10 }, (_, i) => `${stays} /kept-${i} data`).sort());
  expect(spoken.table.watchCount).toBe(10);
});

test("a hundred thousand watchers of one path are each woken once, and cost a search none", () => {
  const table = new WatchTable(1);
  const path = encode("/popular");
  const woken = new Set<number>();
  const all = Array.from({ length: 100_000 }, () => table.addWatcher());
  for (const watcher of all) table.add(watcher, path, 0, path.length, WATCH_BIT.data);
  for (const watcher of all) table.add(watcher, path, 0, path.length, WATCH_BIT.data);
  expect(table.watchCount).toBe(100_000);
  table.onDataChanged({ onEvent: () => {}, onWatcher: (watcher) => woken.add(watcher) }, path, 0, path.length, 1);
  expect(woken.size).toBe(100_000);
  expect(table.watchCount).toBe(0);
});

test("a million watches cost at most 160 bytes each beyond their paths", () => {
  const paths = 200_000;
  const watchersOfEach = 5;
  const count = paths * watchersOfEach;
  const path = new Uint8Array(64);
  let pathBytes = 0;
  const before = liveMemory();
  const table = new WatchTable(1);
  const ids = Array.from({ length: 50 }, () => table.addWatcher());
  for (let p = 0; p < paths; p++) {
    const { written } = new TextEncoder().encodeInto(`/services/group-${p % 100}/member-${p}`, path);
    pathBytes += written;
    for (let w = 0; w < watchersOfEach; w++) table.add(ids[(p + w * 7) % 50]!, path, 0, written, WATCH_BIT.data);
  }
  const perWatch = (liveMemory() - before - pathBytes) / count;
  expect(table.watchCount).toBe(count);
  expect(perWatch).toBeGreaterThan(28); // a row of integers: less would mean that nothing was measured
  expect(perWatch).toBeLessThanOrEqual(160);
});

test("even where every watch has a path of its own, a watch costs at most 160 bytes beyond it", () => {
  const count = 300_000;
  const path = new Uint8Array(64);
  let pathBytes = 0;
  const before = liveMemory();
  const table = new WatchTable(1);
  const watcher = table.addWatcher();
  for (let p = 0; p < count; p++) {
    const { written } = new TextEncoder().encodeInto(`/services/group-${p % 100}/member-${p}`, path);
    pathBytes += written;
    table.add(watcher, path, 0, written, WATCH_BIT.data);
  }
  const perWatch = (liveMemory() - before - pathBytes) / count;
  expect(table.watchCount).toBe(count);
  expect(perWatch).toBeLessThanOrEqual(160);
});
