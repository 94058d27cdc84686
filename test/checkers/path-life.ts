/**
 * One node's life in zxid order. Every answer to a write and every read has a zxid at which it must make
 * sense: a write as the change that zxid made, a read as what the tree held after it. Walking through them
 * in that order, with the one state of the node in hand, checks all. Writes of unknown outcome, which
 * nobody ever saw, are put in where, and only where, an answer cannot be explained otherwise. Waiting with
 * them until they are needed hardly ever loses an explanation, since an answer that fits without them
 * either leaves the state as it was or fixes nearly all of it; where one is missed, the walk is repeated
 * with guesses that no single answer asks for.
 */
import type { Observed, Write, WriteError } from "./history.js";

/** A write whose place in the order of all writes is known. */
export interface PlacedWrite {
  readonly kind: "write";
  readonly write: Write;
  readonly zxid: number;
  readonly error: WriteError | undefined;
  /** The version it made: always known of a set that succeeded. */
  readonly version: number | undefined;
  /** The czxid of the node it made, where somebody saw that. */
  readonly czxid: number | undefined;
  readonly by: string;
}

export interface PlacedRead {
  readonly kind: "read";
  readonly zxid: number;
  readonly node: Observed | undefined;
  readonly by: string;
}

export type Placed = PlacedWrite | PlacedRead;

/** A write that was never answered and whose data nobody ever saw: it happened between these two, or never. */
export interface UnplacedWrite {
  readonly write: Write;
  /** The largest zxid that anybody had been told before it was sent. */
  readonly notBefore: number;
  /** The zxid of the next write that its session was answered: a session's writes happen in their order. */
  readonly notAfter: number;
}

/** The node from `zxid` on. What a guessed write made has no zxid of its own: NaN. */
interface PathState {
  readonly node: Observed | undefined;
  readonly used: ReadonlySet<UnplacedWrite>;
}

export interface PathLife {
  /** The zxids of its changes, in order; those of guessed writes are not among them. */
  readonly changes: readonly number[];
  /** The first answer that cannot be explained. */
  readonly misfit: { readonly placed: Placed; readonly detail: string } | undefined;
}

/** So many unseen writes are tried together between two answers. */
const GUESSES_MAX = 4;
/** So many are tried beyond what one answer needs, before an answer further on is held against a server. */
const NEEDLESS_GUESSES_MAX = 4;
/** So many explanations are followed at the same time, and so many looked at for one answer. */
const STATES_MAX = 200;
const LEVEL_MAX = 500;
/** Guesses made for one node before the search for other explanations is given up. */
const EFFORT_MAX = 20_000_000;

export function lifeOf(path: string, placed: readonly Placed[], unplaced: readonly UnplacedWrite[]): PathLife {
  const inOrder = placed.toSorted(byPlace);
  const quick = walk(path, inOrder, unplaced, "fewest guesses");
  // Which guess is spent on what may matter later: before anybody is accused, all ways are tried.
  return quick.misfit === undefined || unplaced.length === 0 ? quick : walk(path, inOrder, unplaced, "all guesses");
}

type Thoroughness = "fewest guesses" | "all guesses";

function walk(
  path: string,
  placed: readonly Placed[],
  unplaced: readonly UnplacedWrite[],
  thoroughness: Thoroughness,
): PathLife {
  const changes: number[] = [];
  let states: readonly PathState[] = [{ node: undefined, used: new Set() }];
  let before = 0;
  let effort = 0;
  for (const one of placed) {
    const possible = unplaced.filter(({ notBefore, notAfter }) => notBefore < one.zxid && before < notAfter);
    const next = states.flatMap((state) => continuations(state, one, possible, thoroughness));
    effort += states.length * possible.length;
    if (next.length === 0) return { changes, misfit: { placed: one, detail: misfitText(path, one, states) } };
    if (effort > EFFORT_MAX)
      return { changes, misfit: { placed: one, detail: `${path}: too many writes were not answered to tell` } };
    if (one.kind === "write" && one.error === undefined) changes.push(one.zxid);
    states = leastGuessing(next);
    before = one.zxid;
  }
  return { changes, misfit: undefined };
}

/** At one zxid the write comes before the reads. */
function byPlace(a: Placed, b: Placed): number {
  if (a.zxid !== b.zxid) return a.zxid - b.zxid;
  return Number(a.kind === "read") - Number(b.kind === "read");
}

/** The states after this answer: without guesses if it fits so, else after some that make it fit. */
function continuations(
  state: PathState,
  placed: Placed,
  possible: readonly UnplacedWrite[],
  thoroughness: Thoroughness,
): PathState[] {
  const found: PathState[] = [];
  let level: PathState[] = [state];
  for (let guesses = 0; guesses <= GUESSES_MAX; guesses++) {
    const fitting = level.filter(({ node }) => fits(placed, node));
    found.push(...fitting.map((one) => ({ ...one, node: nodeAfter(placed, one.node) })));
    if (found.length > 0 && (thoroughness === "fewest guesses" || guesses >= NEEDLESS_GUESSES_MAX)) return found;
    level = level
      .flatMap((one) =>
        possible
          .filter((guess) => !one.used.has(guess) && canHappen(guess.write, one.node))
          .map((guess) => ({ node: changed(guess.write, one.node, Number.NaN), used: new Set([...one.used, guess]) })),
      )
      .slice(0, LEVEL_MAX);
  }
  return found;
}

/** Of two states that are alike, the one that used more guesses is of no use. */
function leastGuessing(states: readonly PathState[]): readonly PathState[] {
  if (states.length === 1) return states;
  const kept: PathState[] = [];
  for (const state of states.toSorted((a, b) => a.used.size - b.used.size)) {
    const isCovered = kept.some(
      (one) => isSameNode(one.node, state.node) && [...one.used].every((guess) => state.used.has(guess)),
    );
    if (!isCovered) kept.push(state);
  }
  return kept.slice(0, STATES_MAX);
}

function fits(placed: Placed, node: Observed | undefined): boolean {
  return placed.kind === "read" ? shows(placed.node, node) : answers(placed, node);
}

/** Whether a server with this node can have answered so. */
function answers({ write, error, version, czxid }: PlacedWrite, node: Observed | undefined): boolean {
  switch (error) {
    case "NODE_EXISTS":
      return write.kind === "create" && node !== undefined;
    case "NO_NODE":
      return write.kind !== "create" && node === undefined;
    case "BAD_VERSION":
      return write.kind !== "create" && node !== undefined && write.version !== -1 && write.version !== node.version;
    case undefined:
      if (!canHappen(write, node)) return false;
      if (czxid !== undefined && node !== undefined && write.kind === "set" && !isSameZxid(czxid, node.czxid))
        return false;
      return version === undefined || version === (node === undefined ? 0 : node.version + 1);
  }
}

function shows(read: Observed | undefined, node: Observed | undefined): boolean {
  if (read === undefined || node === undefined) return read === node;
  if (read.data !== node.data || read.version !== node.version) return false;
  return isSameZxid(read.czxid, node.czxid) && isSameZxid(read.mzxid, node.mzxid);
}

function isSameZxid(told: number, known: number): boolean {
  return Number.isNaN(known) || told === known;
}

function isSameNode(a: Observed | undefined, b: Observed | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.data === b.data && a.version === b.version && Object.is(a.czxid, b.czxid);
}

function nodeAfter(placed: Placed, node: Observed | undefined): Observed | undefined {
  return placed.kind === "read" || placed.error !== undefined ? node : changed(placed.write, node, placed.zxid);
}

function canHappen(write: Write, node: Observed | undefined): boolean {
  if (write.kind === "create") return node === undefined;
  return node !== undefined && (write.version === -1 || write.version === node.version);
}

function changed(write: Write, node: Observed | undefined, zxid: number): Observed | undefined {
  switch (write.kind) {
    case "create":
      return { data: write.data, version: 0, czxid: zxid, mzxid: zxid };
    case "set":
      return { data: write.data, version: (node?.version ?? 0) + 1, czxid: node?.czxid ?? zxid, mzxid: zxid };
    case "delete":
      return undefined;
  }
}

function misfitText(path: string, placed: Placed, states: readonly PathState[]): string {
  const was = [...new Set(states.map(({ node }) => nodeText(node)))].join(", or ");
  return `${path}: ${placedText(placed)}, where it was ${was}`;
}

function placedText(placed: Placed): string {
  const at = Number.isFinite(placed.zxid) ? ` at zxid 0x${placed.zxid.toString(16)}` : "";
  if (placed.kind === "read") return `${placed.by} read ${nodeText(placed.node)}${at}`;
  const { write } = placed;
  const version = write.kind !== "create" && write.version !== -1 ? ` of version ${write.version}` : "";
  const made = placed.version === undefined ? "" : `, version ${placed.version}`;
  return `${placed.by} was told ${placed.error ?? `success${made}`} for a ${write.kind}${version}${at}`;
}

function nodeText(node: Observed | undefined): string {
  return node === undefined
    ? "absent"
    : `"${node.data}" of version ${node.version}, mzxid 0x${node.mzxid.toString(16)}`;
}
