import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { CallOptions } from "../operations/call-options.js";
import { childPath } from "../operations/paths.js";
import { withinDeadline } from "../operations/several-writes.js";
import type { Stat } from "../operations/stat.js";

/** How to walk. */
export interface WalkOptions extends CallOptions {
  /** Also what the nodes hold. @default false */
  readonly data?: boolean | undefined;
  /** How far below the path to go; 0: only the node itself. @default without end */
  readonly depthMax?: number | undefined;
  /** Requests in flight at once. @default 256 */
  readonly concurrencyMax?: number | undefined;
}

/** A node as a walk comes by it. */
export interface WalkedNode {
  readonly path: string;
  /** 0 for the node the walk begins with. */
  readonly depth: number;
  readonly stat: Stat;
  /** Names, sorted. */
  readonly children: readonly string[];
  /** Only with `data: true`. */
  readonly data: Buffer | null;
}

/** Enough to hide the way to the server, not enough to swamp it. */
const CONCURRENCY_MAX_DEFAULT = 256;

/**
 * Walks a subtree, level by level: every node comes before its children. It is no snapshot: nodes may
 * come and go meanwhile, and those that went are left out.
 *
 * @throws NO_NODE the first node is not there; NO_AUTH one may not be read
 */
export async function* walkTree(client: Client, path: string, options: WalkOptions = {}): AsyncGenerator<WalkedNode> {
  const { data = false, depthMax = Number.POSITIVE_INFINITY, concurrencyMax, ...callOptions } = options;
  const left = withinDeadline("walk", path, callOptions);
  const batchMax = Math.max(1, (concurrencyMax ?? CONCURRENCY_MAX_DEFAULT) || 1); // of none, the walk would never end
  let level = [path];
  for (let depth = 0; depth <= depthMax && level.length > 0; depth++) {
    const below: string[] = [];
    for (let i = 0; i < level.length; i += batchMax) {
      const batch = level.slice(i, i + batchMax);
      const nodes = await Promise.all(batch.map((one) => readNode(client, one, depth, data, left())));
      for (const node of nodes) {
        if (node === undefined) continue;
        for (const name of node.children) below.push(childPath(node.path, name));
        yield node;
      }
    }
    level = below;
  }
}

async function readNode(
  client: Client,
  path: string,
  depth: number,
  withData: boolean,
  options: CallOptions,
): Promise<WalkedNode | undefined> {
  try {
    const listed = client.getChildrenWithStat(path, options);
    const held = withData ? client.getDataWithStat(path, options) : undefined;
    const [{ children, stat }, content] = await Promise.all([listed, held]);
    return { path, depth, stat: content?.stat ?? stat, children: children.sort(), data: content?.data ?? null };
  } catch (error) {
    if (depth > 0 && hasCode(error, "NO_NODE")) return undefined;
    throw error;
  }
}
