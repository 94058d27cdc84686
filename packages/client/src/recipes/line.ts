import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import { childPath, nodeName, parentPath } from "../operations/paths.js";
import type { OwnedNode } from "./owned-node.js";
import { PATIENT, type Patience } from "./patience.js";
import { untilGone, watching, whileThere } from "./until-node.js";

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

/** Who a line consists of, and how it moves. */
export interface LineOrder {
  /** Who is in the line: captures the kind and the number. */
  readonly pattern: RegExp;
  readonly blockerOf: BlockerOf;
}

/**
 * Whose leaving the contender at `own` of the line in its order has to wait for: of one that stands ahead, or
 * of anyone; undefined: its turn has come.
 */
export type BlockerOf = (line: readonly Contender[], own: number) => Contender | "anyone" | undefined;

/**
 * Those ahead until there is room for so many. Where that is more than one, whoever of them leaves first
 * makes room: to wait for a certain one would leave the place empty for as long as that one stays.
 */
export function roomFor(count: number): BlockerOf {
  return (line, own) => {
    if (own < count) return undefined;
    return count === 1 ? line[own - 1] : "anyone";
  };
}

/** The line as the server has it; names that `pattern` (kind, then number) does not match are not of it. */
export async function contenders(client: Client, parent: string, pattern: RegExp): Promise<Contender[]> {
  return inOrder(await client.getChildren(parent, PATIENT), pattern);
}

function inOrder(names: readonly string[], pattern: RegExp): Contender[] {
  const line: Contender[] = [];
  for (const name of names) {
    const [, kind, digits] = pattern.exec(name) ?? [];
    if (kind !== undefined && digits !== undefined) line.push({ name, kind, sequence: Number(digits) });
  }
  return line.sort((a, b) => (a.sequence - b.sequence) | 0);
}

/** How a contender stands: its turn has come, its node is gone, or whom it waits for. */
type Standing = "turn" | "gone" | { readonly blocker: Contender | "anyone" };

/**
 * A list may be out of date only in showing who is gone already: whoever came before this contender is in
 * every list its session can read, as its own node is. So nobody's turn comes too early.
 */
function standingIn(names: readonly string[], node: OwnedNode, { pattern, blockerOf }: LineOrder): Standing {
  const line = inOrder(names, pattern);
  const own = line.findIndex(({ name }) => name === nodeName(node.path));
  if (own === -1) return "gone";
  const blocker = blockerOf(line, own);
  return blocker === undefined ? "turn" : { blocker };
}

async function standingOf(client: Client, node: OwnedNode, order: LineOrder): Promise<Standing> {
  try {
    return standingIn(await client.getChildren(parentPath(node.path), PATIENT), node, order);
  } catch (error) {
    if (hasCode(error, "NO_NODE")) return "gone";
    throw error;
  }
}

/** Looks once. */
export async function isTurn(client: Client, node: OwnedNode, order: LineOrder): Promise<boolean> {
  return (await standingOf(client, node, order)) === "turn";
}

/** Waits for its turn; false if its node is gone, with its session or by somebody's hand. */
export async function untilTurn(
  client: Client,
  node: OwnedNode,
  order: LineOrder,
  patience: Patience,
): Promise<boolean> {
  for (;;) {
    const standing = await patience.bound(standingOf(client, node, order));
    if (standing === "turn") return true;
    if (standing === "gone") return false;
    if (standing.blocker === "anyone") await untilLineChanges(client, node, order, patience);
    else {
      const blocker = childPath(parentPath(node.path), standing.blocker.name);
      await whileThere(client, node.path, patience, (bounds) => untilGone(client, blocker, bounds));
    }
  }
}

function untilLineChanges(client: Client, node: OwnedNode, order: LineOrder, patience: Patience): Promise<void> {
  return watching(patience, async (signal) => {
    try {
      const { children, changed } = await client.watchChildren(parentPath(node.path), { ...PATIENT, signal });
      // Whoever has left since the last look is told by this list, and by no event.
      if (typeof standingIn(children, node, order) === "object") await changed;
    } catch (error) {
      if (!hasCode(error, "NO_NODE")) throw error; // the whole line is gone: the next look says so
    }
  });
}
