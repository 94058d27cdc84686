import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import { childPath, nodeName, parentPath } from "../operations/paths.js";
import type { OwnedNode } from "./owned-node.js";
import { PATIENT, type Patience } from "./patience.js";

/**
 * Contenders in line: sequential ephemeral nodes below one parent, whose numbers say who came first. Each
 * waits for one other node only, so that a change wakes one and not all.
 *
 * The numbers are the parent's, 32 bits with sign, and wrap around; two that contend at the same time are
 * never half a round apart, so the difference tells the order.
 */
export interface Contender {
  readonly name: string;
  /** What precedes the number: tells readers from writers. */
  readonly kind: string;
  readonly sequence: number;
}

/** Of the line in its order, the one that the contender at `own` has to wait for, or undefined: its turn has come. */
export type BlockerOf = (line: readonly Contender[], own: number) => Contender | undefined;

/** Those ahead until there is room for so many. */
export function roomFor(count: number): BlockerOf {
  return (line, own) => (own < count ? undefined : line[own - count]);
}

/** The line as the server has it; names that `pattern` (kind, then number) does not match are not of it. */
export async function contenders(client: Client, parent: string, pattern: RegExp): Promise<Contender[]> {
  const line: Contender[] = [];
  for (const name of await client.getChildren(parent, PATIENT)) {
    const [, kind, digits] = pattern.exec(name) ?? [];
    if (kind !== undefined && digits !== undefined) line.push({ name, kind, sequence: Number(digits) });
  }
  return line.sort((a, b) => (a.sequence - b.sequence) | 0);
}

/** How a contender stands: its turn has come, its node is gone, or whom it waits for. */
type Standing = "turn" | "gone" | { readonly blocker: string };

/**
 * A list may be out of date only in showing who is gone already: whoever came before this contender is in
 * every list its session can read, as its own node is. So nobody's turn comes too early.
 */
async function standingOf(client: Client, node: OwnedNode, pattern: RegExp, blockerOf: BlockerOf): Promise<Standing> {
  const parent = parentPath(node.path);
  const line = await contenders(client, parent, pattern).catch((error: unknown) => {
    if (hasCode(error, "NO_NODE")) return [];
    throw error;
  });
  const own = line.findIndex(({ name }) => name === nodeName(node.path));
  if (own === -1) return "gone";
  const blocker = blockerOf(line, own);
  return blocker === undefined ? "turn" : { blocker: childPath(parent, blocker.name) };
}

/** Looks once. */
export async function isTurn(client: Client, node: OwnedNode, pattern: RegExp, blockerOf: BlockerOf): Promise<boolean> {
  return (await standingOf(client, node, pattern, blockerOf)) === "turn";
}

/** Waits for its turn; false if its node is gone, with its session or by somebody's hand. */
export async function untilTurn(
  client: Client,
  node: OwnedNode,
  pattern: RegExp,
  blockerOf: BlockerOf,
  patience: Patience,
): Promise<boolean> {
  const { signal } = patience;
  for (;;) {
    const standing = await patience.bound(standingOf(client, node, pattern, blockerOf));
    if (standing === "turn") return true;
    if (standing === "gone") return false;
    const { stat, changed } = await client.watchExists(standing.blocker, { ...PATIENT, signal });
    if (stat !== null) await changed;
  }
}
