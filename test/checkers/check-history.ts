/**
 * Whether a history can be that of a ZooKeeper: writes linearizable, each session's view never going
 * back, watch events ahead of what they tell of, nothing acknowledged lost, all servers alike in the end.
 *
 * The zxids make this cheap. A server claims with each answer at which place of the one order of writes
 * it stands; so instead of searching for an order, the claimed one is checked: each zxid belongs to one
 * write, the order agrees with real time, every answer fits what the writes before it made (`path-life`),
 * and no session is ever told a smaller zxid than before. A false claim breaks one of these.
 */
import type { History, Observed, Operation, Violation, Write } from "./history.js";
import { lifeOf, type PathLife, type Placed, type UnplacedWrite } from "./path-life.js";
import { lateEvents } from "./watch-order.js";

export function checkHistory(history: History): Violation[] {
  const placing = new Placing(history);
  const lives = placing.lives();
  return [
    ...placing.violations,
    ...doubleZxids(placing.zxids),
    ...againstRealTime(placing.zxids),
    ...sessionsGoingBack(history),
    ...differingServers(history),
    ...lateEvents(history, lives),
  ];
}

interface OneWrite {
  readonly operation: Operation;
  readonly write: Write;
}

/** Gives every write and every read its place in the life of its node. */
class Placing {
  readonly violations: Violation[] = [];
  private readonly history: History;
  /** By the data they wrote, which no two writes share. */
  private readonly byData = new Map<string, OneWrite>();
  /** The zxids of operations that were never answered, from what they left behind. */
  private readonly seenAt = new Map<Operation, number>();
  /** The node as it was seen with some data. */
  private readonly seen = new Map<string, Observed>();

  constructor(history: History) {
    this.history = history;
    for (const operation of history.operations) {
      for (const write of writesOf(operation)) {
        if (write.kind !== "delete") this.byData.set(write.data, { operation, write });
      }
    }
    for (const [node, by] of observations(history)) this.learnFrom(node, by);
  }

  /** Of every write whose place is known: from its answer, or from what it left behind. */
  get zxids(): ReadonlyMap<Operation, number> {
    const zxids = new Map(this.seenAt);
    for (const operation of this.history.operations) {
      if (operation.call.kind === "write" && operation.answer !== undefined)
        zxids.set(operation, operation.answer.zxid);
    }
    return zxids;
  }

  lives(): ReadonlyMap<string, PathLife> {
    const placed = new Map<string, Placed[]>();
    const unplaced = new Map<string, UnplacedWrite[]>();
    const told = new ToldZxids(this.history);
    const next = nextAnsweredWrites(this.history);
    for (const operation of this.history.operations) this.place(operation, placed, unplaced, told, next);
    for (const { server, nodes } of this.history.finals) {
      for (const path of new Set([...placed.keys(), ...unplaced.keys(), ...nodes.keys()])) {
        listAt(placed, path).push({ kind: "read", zxid: Number.POSITIVE_INFINITY, node: nodes.get(path), by: server });
      }
    }
    const lives = new Map<string, PathLife>();
    for (const [path, all] of placed) {
      const life = lifeOf(path, all, unplaced.get(path) ?? []);
      lives.set(path, life);
      if (life.misfit !== undefined)
        this.violations.push({ rule: ruleOf(life.misfit.placed), detail: life.misfit.detail });
    }
    return lives;
  }

  private place(
    operation: Operation,
    placed: Map<string, Placed[]>,
    unplaced: Map<string, UnplacedWrite[]>,
    told: ToldZxids,
    next: ReadonlyMap<Operation, number>,
  ): void {
    const { answer, call } = operation;
    const by = `${operation.session}#${operation.sequence}`;
    if (call.kind === "read" && answer !== undefined && answer.error === undefined) {
      listAt(placed, call.path).push({ kind: "read", zxid: answer.zxid, node: answer.node, by });
    }
    if (answer?.error === "OTHER") return;
    const zxid = answer?.zxid ?? this.seenAt.get(operation);
    const writes = writesOf(operation);
    // Of a multi that failed it is not known which of its writes was at fault.
    if (writes.length > 1 && answer?.error !== undefined) return;
    for (const [i, write] of writes.entries()) {
      const made = write.kind === "set" ? this.seen.get(write.data) : undefined;
      const version = answer?.versions?.[i] ?? made?.version;
      if (zxid === undefined)
        listAt(unplaced, write.path).push({
          write,
          notBefore: told.before(operation.invokedAt),
          notAfter: next.get(operation) ?? Number.POSITIVE_INFINITY,
        });
      else
        listAt(placed, write.path).push({
          kind: "write",
          write,
          zxid,
          error: answer?.error,
          version,
          czxid: made?.czxid,
          by,
        });
    }
  }

  private learnFrom(node: Observed, by: string): void {
    const origin = this.byData.get(node.data);
    if (origin === undefined || origin.operation.answer?.error !== undefined) {
      const what = origin === undefined ? "which nobody wrote" : "whose write was refused";
      this.violations.push({ rule: "data out of nowhere", detail: `${by} saw "${node.data}", ${what}` });
      return;
    }
    this.seen.set(node.data, node);
    if (origin.operation.answer !== undefined) return;
    const known = this.seenAt.get(origin.operation);
    if (known === undefined) this.seenAt.set(origin.operation, node.mzxid);
    else if (known !== node.mzxid) {
      const zxids = [known, node.mzxid].map((zxid) => `0x${zxid.toString(16)}`).join(" and ");
      this.violations.push({ rule: "a write at two zxids", detail: `${by} saw "${node.data}": ${zxids}` });
    }
  }
}

function ruleOf(placed: Placed): Violation["rule"] {
  if (placed.kind === "write") return "sequential model";
  return Number.isFinite(placed.zxid) ? "a read at odds with the writes" : "a lost write";
}

function* observations(history: History): Iterable<readonly [Observed, string]> {
  for (const { answer, session, sequence } of history.operations) {
    if (answer?.node !== undefined) yield [answer.node, `${session}#${sequence}`];
  }
  for (const { server, nodes } of history.finals) for (const node of nodes.values()) yield [node, server];
}

/** For each unanswered operation the zxid of the write that its session was answered next. */
function nextAnsweredWrites({ operations }: History): ReadonlyMap<Operation, number> {
  const next = new Map<Operation, number>();
  const last = new Map<string, number>();
  for (const operation of operations.toSorted((a, b) => b.sequence - a.sequence)) {
    const { session, call, answer } = operation;
    const after = last.get(session);
    if (answer === undefined && after !== undefined) next.set(operation, after);
    if (answer !== undefined && answer.error !== "OTHER" && call.kind === "write") last.set(session, answer.zxid);
  }
  return next;
}

/** What had been told to anybody by a moment: the largest zxid. */
class ToldZxids {
  private readonly times: number[] = [];
  private readonly largest: number[] = [];

  constructor({ operations }: History) {
    const answered = operations.filter(({ returnedAt, answer }) => returnedAt !== undefined && answer !== undefined);
    let largest = 0;
    for (const { returnedAt, answer } of answered.toSorted((a, b) => a.returnedAt! - b.returnedAt!)) {
      largest = Math.max(largest, answer!.zxid);
      this.times.push(returnedAt!);
      this.largest.push(largest);
    }
  }

  before(moment: number): number {
    let [low, high] = [0, this.times.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.times[middle]! < moment) low = middle + 1;
      else high = middle;
    }
    return this.largest[low - 1] ?? 0;
  }
}

function doubleZxids(zxids: ReadonlyMap<Operation, number>): Violation[] {
  const owners = new Map<number, Operation>();
  const found: Violation[] = [];
  for (const [operation, zxid] of zxids) {
    const other = owners.get(zxid);
    owners.set(zxid, operation);
    if (other === undefined) continue;
    const detail = `0x${zxid.toString(16)}: ${nameOf(other)} and ${nameOf(operation)}`;
    found.push({ rule: "two writes with one zxid", detail });
  }
  return found;
}

/** In zxid order, no write may have been over before an earlier one was begun. */
function againstRealTime(zxids: ReadonlyMap<Operation, number>): Violation[] {
  const found: Violation[] = [];
  let latest: Operation | undefined;
  for (const [operation] of [...zxids].toSorted((a, b) => a[1] - b[1])) {
    if (latest !== undefined && (operation.returnedAt ?? Number.POSITIVE_INFINITY) < latest.invokedAt) {
      const detail = `${nameOf(operation)} was over before ${nameOf(latest)} began, and has the larger zxid`;
      found.push({ rule: "real-time order", detail });
    }
    if (latest === undefined || operation.invokedAt > latest.invokedAt) latest = operation;
  }
  return found;
}

/** Answers come in the order of the requests, and what they show never goes back. */
function sessionsGoingBack({ operations }: History): Violation[] {
  const found: Violation[] = [];
  const last = new Map<string, Operation>();
  const answered = operations.filter(({ answer }) => answer !== undefined);
  for (const operation of answered.toSorted((a, b) => a.answer!.arrival - b.answer!.arrival)) {
    const before = last.get(operation.session);
    last.set(operation.session, operation);
    if (before === undefined) continue;
    const isWrite = operation.call.kind === "write";
    const [earlier, later] = [before.answer!.zxid, operation.answer!.zxid];
    if (later < earlier || (isWrite && later === earlier))
      found.push({
        rule: "a session goes back",
        detail: `${nameOf(operation)} was answered with zxid 0x${later.toString(16)} after 0x${earlier.toString(16)}`,
      });
    if (operation.sequence < before.sequence)
      found.push({ rule: "a session goes back", detail: `${nameOf(operation)} was answered after ${nameOf(before)}` });
  }
  return found;
}

function differingServers({ finals }: History): Violation[] {
  const [first, ...others] = finals;
  const found: Violation[] = [];
  for (const other of others) {
    for (const path of new Set([...first!.nodes.keys(), ...other.nodes.keys()])) {
      const [left, right] = [first!.nodes.get(path), other.nodes.get(path)];
      if (JSON.stringify(left) !== JSON.stringify(right))
        found.push({
          rule: "servers differ",
          detail: `${path}: ${JSON.stringify(left)} on ${first!.server}, ${JSON.stringify(right)} on ${other.server}`,
        });
    }
  }
  return found;
}

function writesOf({ call }: Operation): readonly Write[] {
  return call.kind === "write" ? call.writes : [];
}

function nameOf({ session, sequence, call }: Operation): string {
  const what = call.kind === "write" ? call.writes.map(({ kind, path }) => `${kind} ${path}`).join(", ") : call.kind;
  return `${session}#${sequence} (${what})`;
}

function listAt<T>(lists: Map<string, T[]>, path: string): T[] {
  const list = lists.get(path) ?? [];
  lists.set(path, list);
  return list;
}
