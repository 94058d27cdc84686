import { EVENT_TYPE, WATCH_TYPE } from "@watchkeeper/wire";
import { CellStore, HashIndex, hashBytes, PagedInts, sameBytes } from "../memory/index.js";

/**
 * Who watches what on this server (M8, M12). Apache has two tables, data and child, of sets of
 * watchers; here one row stands for one watcher at one path, with a bit for each way of watching, so
 * that a watch costs a row of integers and its share of a path, about 80 bytes, whatever the number.
 *
 * | bit | set by | fires for | lives |
 * | --- | --- | --- | --- |
 * | data | getData, exists | created, changed, deleted | once |
 * | children | getChildren | children changed, deleted | once |
 * | persistent | addWatch | all four, at this path | until removed |
 * | recursive | addWatch | created, changed, deleted, here and below | until removed |
 *
 * The modes are independent of each other, as in Apache since 3.9.0. A watcher is a connection: its
 * watches go with it, even when its session comes back on another.
 */
export const WATCH_BIT = { data: 1, children: 2, persistent: 4, recursive: 8 } as const;

const DATA_TRIGGER = WATCH_BIT.data | WATCH_BIT.persistent | WATCH_BIT.recursive;
const CHILD_TRIGGER = WATCH_BIT.children | WATCH_BIT.persistent;

/** Rows of watches. */
const PATH = 0;
const WATCHER = 1;
const BITS = 2;
const NEXT_AT_PATH = 3;
const PREVIOUS_AT_PATH = 4;
const NEXT_OF_WATCHER = 5;
const PREVIOUS_OF_WATCHER = 6;
const WATCH_FIELDS = 7;

/** Rows of paths. */
const CELL = 0;
const LENGTH = 1;
const FIRST_WATCH = 2;
const PATH_FIELDS = 3;

/**
 * Rows of watchers. The first watch must not be field 0, which chains the rows of those who have gone:
 * a walk over all rows would take the chain for somebody else's watches.
 */
const WATCH_COUNT = 0;
const FIRST_OF_WATCHER = 1;
const LAST_EVENT = 2;
const WATCHER_FIELDS = 3;

const SLASH = 0x2f;

/** Takes the events of one trigger: `onEvent` once, when somebody watches, then `onWatcher` for each who does. */
export interface EventSink {
  onEvent(type: number, path: Uint8Array, start: number, end: number, aclNumber: number): void;
  onWatcher(watcher: number): void;
}

export class WatchTable {
  private readonly hashSeed: number;
  private readonly watches = new PagedInts(WATCH_FIELDS);
  private readonly paths = new PagedInts(PATH_FIELDS);
  private readonly watchers = new PagedInts(WATCHER_FIELDS);
  private readonly cells = new CellStore();
  private readonly pathIndex = new HashIndex();
  /** From (path, watcher) to the watch: a thousand watchers of one path must not be searched one by one. */
  private readonly watchIndex = new HashIndex();
  private recursiveWatches = 0;
  private eventNumber = 0;

  constructor(hashSeed: number) {
    this.hashSeed = hashSeed;
  }

  /** Paths that somebody watches. */
  get pathCount(): number {
    return this.paths.count;
  }

  /** Pairs of watcher and path. */
  get watchCount(): number {
    return this.watches.count;
  }

  addWatcher(): number {
    return this.watchers.allocate();
  }

  /** The watcher is gone, and its watches with it. */
  removeWatcher(watcher: number): void {
    for (let watch = this.watchers.get(watcher, FIRST_OF_WATCHER); watch !== 0; ) {
      const next = this.watches.get(watch, NEXT_OF_WATCHER);
      this.removeWatch(watch);
      watch = next;
    }
    this.watchers.release(watcher);
  }

  countOf(watcher: number): number {
    return this.watchers.get(watcher, WATCH_COUNT);
  }

  /** Registers a way of watching; doing so again changes nothing. "" is the root, as in reads. */
  add(watcher: number, bytes: Uint8Array, start: number, end: number, bit: number): void {
    const path = this.findPath(bytes, start, end) || this.addPath(bytes, start, end);
    const known = this.findWatch(path, watcher);
    if (known !== 0) {
      this.setBits(known, this.watches.get(known, BITS) | bit);
      return;
    }
    const watch = this.watches.allocate();
    this.watches.set(watch, PATH, path);
    this.watches.set(watch, WATCHER, watcher);
    this.linkAtPath(watch, path);
    this.linkOfWatcher(watch, watcher);
    this.watchIndex.insert(pairHash(path, watcher), watch);
    this.setBits(watch, bit);
  }

  /** Takes away ways of watching by their wire type; false where there was none. */
  remove(watcher: number, bytes: Uint8Array, start: number, end: number, type: number): boolean {
    const watch = this.watchAt(watcher, bytes, start, end);
    if (watch === 0) return false;
    const bits = this.watches.get(watch, BITS);
    const left = bits & ~bitsOfType(type);
    if (left === bits) return false;
    if (left === 0) this.removeWatch(watch);
    else this.setBits(watch, left);
    return true;
  }

  has(watcher: number, bytes: Uint8Array, start: number, end: number, type: number): boolean {
    const watch = this.watchAt(watcher, bytes, start, end);
    return watch !== 0 && (this.watches.get(watch, BITS) & bitsOfType(type)) !== 0;
  }

  // Triggers, in the order of Apache's table (server-semantics 11.2).

  onCreated(
    sink: EventSink,
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    parentEnd: number,
    parentAcl: number,
  ): void {
    if (this.watches.count === 0) return;
    this.trigger(sink, EVENT_TYPE.nodeCreated, DATA_TRIGGER, path, start, end, aclNumber, true);
    this.triggerParent(sink, path, start, parentEnd, parentAcl);
  }

  onDeleted(
    sink: EventSink,
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    parentEnd: number,
    parentAcl: number,
  ): void {
    if (this.watches.count === 0) return;
    this.trigger(sink, EVENT_TYPE.nodeDeleted, DATA_TRIGGER, path, start, end, aclNumber, true);
    // Whoever watches both the data and the children hears of the deletion once.
    this.trigger(sink, EVENT_TYPE.nodeDeleted, CHILD_TRIGGER, path, start, end, aclNumber, false);
    this.triggerParent(sink, path, start, parentEnd, parentAcl);
  }

  onDataChanged(sink: EventSink, path: Uint8Array, start: number, end: number, aclNumber: number): void {
    if (this.watches.count === 0) return;
    this.trigger(sink, EVENT_TYPE.nodeDataChanged, DATA_TRIGGER, path, start, end, aclNumber, true);
  }

  private triggerParent(sink: EventSink, path: Uint8Array, start: number, parentEnd: number, parentAcl: number): void {
    const isRoot = parentEnd === start;
    this.trigger(
      sink,
      EVENT_TYPE.nodeChildrenChanged,
      CHILD_TRIGGER,
      isRoot ? ROOT_PATH : path,
      isRoot ? 0 : start,
      isRoot ? 1 : parentEnd,
      parentAcl,
      true,
    );
  }

  /** `fresh`: whether those the previous trigger notified hear this one too. */
  private trigger(
    sink: EventSink,
    type: number,
    mask: number,
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    fresh: boolean,
  ): void {
    if (fresh) this.eventNumber = (this.eventNumber + 1) | 0;
    let announced = false;
    const at = this.findPath(path, start, end);
    for (let watch = at === 0 ? 0 : this.paths.get(at, FIRST_WATCH); watch !== 0; ) {
      const next = this.watches.get(watch, NEXT_AT_PATH);
      const bits = this.watches.get(watch, BITS);
      if ((bits & mask) !== 0) {
        if (!announced) sink.onEvent(type, path, start, end, aclNumber);
        announced = true;
        this.notify(sink, this.watches.get(watch, WATCHER));
        const left = bits & ~(mask & (WATCH_BIT.data | WATCH_BIT.children));
        if (left === 0) this.removeWatch(watch);
        else if (left !== bits) this.setBits(watch, left);
      }
      watch = next;
    }
    if (this.recursiveWatches === 0 || (mask & WATCH_BIT.recursive) === 0) return;
    for (let ancestorEnd = end; ancestorEnd > start; ) {
      do ancestorEnd -= 1;
      while (ancestorEnd > start && path[ancestorEnd] !== SLASH);
      announced = this.triggerAncestor(sink, type, path, start, end, ancestorEnd, aclNumber, announced);
    }
  }

  private triggerAncestor(
    sink: EventSink,
    type: number,
    path: Uint8Array,
    start: number,
    end: number,
    ancestorEnd: number,
    aclNumber: number,
    announced: boolean,
  ): boolean {
    let said = announced;
    const at = this.findPath(path, start, ancestorEnd);
    for (
      let watch = at === 0 ? 0 : this.paths.get(at, FIRST_WATCH);
      watch !== 0;
      watch = this.watches.get(watch, NEXT_AT_PATH)
    ) {
      if ((this.watches.get(watch, BITS) & WATCH_BIT.recursive) === 0) continue;
      if (!said) sink.onEvent(type, path, start, end, aclNumber);
      said = true;
      this.notify(sink, this.watches.get(watch, WATCHER));
    }
    return said;
  }

  private notify(sink: EventSink, watcher: number): void {
    if (this.watchers.get(watcher, LAST_EVENT) === this.eventNumber) return;
    this.watchers.set(watcher, LAST_EVENT, this.eventNumber);
    sink.onWatcher(watcher);
  }

  // For diagnostics (wchs, wchc, wchp): they walk everything, which is why they are not allowed by default.

  /** Calls for every watch with any of `bits`. The path's bytes are valid during the call. */
  forEach(bits: number, call: (watcher: number, path: Uint8Array, start: number, end: number) => void): void {
    for (let row = 1; row < this.watchers.rowsEnd; row++) this.forEachOf(row, bits, call);
  }

  forEachOf(
    watcher: number,
    bits: number,
    call: (watcher: number, path: Uint8Array, start: number, end: number) => void,
  ): void {
    for (
      let watch = this.watchers.get(watcher, FIRST_OF_WATCHER);
      watch !== 0;
      watch = this.watches.get(watch, NEXT_OF_WATCHER)
    ) {
      if ((this.watches.get(watch, BITS) & bits) === 0) continue;
      const path = this.watches.get(watch, PATH);
      const cell = this.paths.get(path, CELL) >>> 0;
      const start = this.cells.offsetOf(cell);
      call(watcher, this.cells.bytesOf(cell), start, start + this.paths.get(path, LENGTH));
    }
  }

  // Inside.

  private watchAt(watcher: number, bytes: Uint8Array, start: number, end: number): number {
    const path = this.findPath(bytes, start, end);
    return path === 0 ? 0 : this.findWatch(path, watcher);
  }

  private findPath(bytes: Uint8Array, start: number, end: number): number {
    if (start === end) return this.findPath(ROOT_PATH, 0, 1);
    const hash = hashBytes(this.hashSeed, bytes, start, end);
    for (let path = this.pathIndex.first(hash); path !== 0; path = this.pathIndex.next(path, hash)) {
      const cell = this.paths.get(path, CELL) >>> 0;
      const same = this.paths.get(path, LENGTH) === end - start;
      if (same && sameBytes(this.cells.bytesOf(cell), this.cells.offsetOf(cell), bytes, start, end - start))
        return path;
    }
    return 0;
  }

  private addPath(bytes: Uint8Array, start: number, end: number): number {
    if (start === end) return this.addPath(ROOT_PATH, 0, 1);
    const path = this.paths.allocate();
    const cell = this.cells.allocate(end - start);
    this.cells.bytesOf(cell).set(bytes.subarray(start, end), this.cells.offsetOf(cell));
    this.paths.set(path, CELL, cell);
    this.paths.set(path, LENGTH, end - start);
    this.pathIndex.insert(hashBytes(this.hashSeed, bytes, start, end), path);
    return path;
  }

  private findWatch(path: number, watcher: number): number {
    const hash = pairHash(path, watcher);
    let watch = this.watchIndex.first(hash);
    while (watch !== 0 && (this.watches.get(watch, PATH) !== path || this.watches.get(watch, WATCHER) !== watcher)) {
      watch = this.watchIndex.next(watch, hash);
    }
    return watch;
  }

  private setBits(watch: number, bits: number): void {
    const before = this.watches.get(watch, BITS);
    this.recursiveWatches += ((bits & WATCH_BIT.recursive) - (before & WATCH_BIT.recursive)) / WATCH_BIT.recursive;
    this.watches.set(watch, BITS, bits);
  }

  private linkAtPath(watch: number, path: number): void {
    const first = this.paths.get(path, FIRST_WATCH);
    this.watches.set(watch, NEXT_AT_PATH, first);
    if (first !== 0) this.watches.set(first, PREVIOUS_AT_PATH, watch);
    this.paths.set(path, FIRST_WATCH, watch);
  }

  private linkOfWatcher(watch: number, watcher: number): void {
    const first = this.watchers.get(watcher, FIRST_OF_WATCHER);
    this.watches.set(watch, NEXT_OF_WATCHER, first);
    if (first !== 0) this.watches.set(first, PREVIOUS_OF_WATCHER, watch);
    this.watchers.set(watcher, FIRST_OF_WATCHER, watch);
    this.watchers.set(watcher, WATCH_COUNT, this.watchers.get(watcher, WATCH_COUNT) + 1);
  }

  private removeWatch(watch: number): void {
    this.setBits(watch, 0);
    this.watchIndex.remove(watch);
    this.unlinkOfWatcher(watch);
    this.unlinkAtPath(watch);
    this.watches.release(watch);
  }

  private unlinkOfWatcher(watch: number): void {
    const watcher = this.watches.get(watch, WATCHER);
    const next = this.watches.get(watch, NEXT_OF_WATCHER);
    const previous = this.watches.get(watch, PREVIOUS_OF_WATCHER);
    if (previous === 0) this.watchers.set(watcher, FIRST_OF_WATCHER, next);
    else this.watches.set(previous, NEXT_OF_WATCHER, next);
    if (next !== 0) this.watches.set(next, PREVIOUS_OF_WATCHER, previous);
    this.watchers.set(watcher, WATCH_COUNT, this.watchers.get(watcher, WATCH_COUNT) - 1);
  }

  private unlinkAtPath(watch: number): void {
    const path = this.watches.get(watch, PATH);
    const next = this.watches.get(watch, NEXT_AT_PATH);
    const previous = this.watches.get(watch, PREVIOUS_AT_PATH);
    if (previous === 0) this.paths.set(path, FIRST_WATCH, next);
    else this.watches.set(previous, NEXT_AT_PATH, next);
    if (next !== 0) this.watches.set(next, PREVIOUS_AT_PATH, previous);
    if (previous !== 0 || next !== 0) return;
    this.pathIndex.remove(path);
    this.cells.release(this.paths.get(path, CELL) >>> 0);
    this.paths.release(path);
  }
}

const ROOT_PATH = new Uint8Array([SLASH]);

function pairHash(path: number, watcher: number): number {
  return Math.imul(path, 0x9e3779b1) ^ Math.imul(watcher, 0x85ebca77);
}

function bitsOfType(type: number): number {
  switch (type) {
    case WATCH_TYPE.children:
      return WATCH_BIT.children;
    case WATCH_TYPE.data:
      return WATCH_BIT.data;
    case WATCH_TYPE.persistent:
      return WATCH_BIT.persistent;
    case WATCH_TYPE.persistentRecursive:
      return WATCH_BIT.recursive;
    default:
      return WATCH_BIT.data | WATCH_BIT.children | WATCH_BIT.persistent | WATCH_BIT.recursive;
  }
}
