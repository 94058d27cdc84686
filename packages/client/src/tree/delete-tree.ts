import type { Client } from "../client.js";
import { badArguments, hasCode } from "../errors.js";
import type { CallOptions } from "../operations/call-options.js";
import { partlyApplied, withinDeadline } from "../operations/several-writes.js";
import { walkTree } from "./walk-tree.js";

export interface DeleteTreeOptions extends CallOptions {
  /** Leaves the node itself, and deletes what is below. @default false */
  readonly keepRoot?: boolean | undefined;
  /** How many nodes go at once, with one zxid. A smaller subtree vanishes as a whole, or not at all. @default 1000 */
  readonly batchMax?: number | undefined;
}

const BATCH_MAX_DEFAULT = 1000;
/** Far below what a server accepts as one request. */
const BATCH_TEXT_CHARS_MAX = 128 * 1024;
/** Others may go on creating nodes below for ever. */
const ROUNDS_MAX = 100;

/**
 * Deletes a node and everything below it, in batches, deepest nodes first, so that no node is ever there
 * without its parent. Where others delete or create nodes meanwhile it looks again. Returns how many
 * nodes it deleted; 0 if there was none.
 *
 * @throws NOT_EMPTY others kept creating nodes; NO_AUTH. The outcome is "unknown" where some nodes were deleted
 */
export async function deleteTree(client: Client, path: string, options: DeleteTreeOptions = {}): Promise<number> {
  const { keepRoot = false, batchMax = BATCH_MAX_DEFAULT, ...callOptions } = options;
  if (path === "/" && !keepRoot) throw badArguments("deleteRecursive", path, "the root cannot be deleted");
  const left = withinDeadline("deleteRecursive", path, callOptions);
  let deleted = 0;
  for (let round = 1; ; round++) {
    try {
      const paths = await pathsBelow(client, path, keepRoot, left());
      while (paths.length > 0) deleted += await deleteBatch(client, paths, batchMax, left());
      return deleted;
    } catch (error) {
      if (round < ROUNDS_MAX && hasCode(error, "NO_NODE", "NOT_EMPTY")) continue;
      throw deleted === 0 ? error : partlyApplied(error, "deleteRecursive", path);
    }
  }
}

async function pathsBelow(client: Client, path: string, keepRoot: boolean, options: CallOptions): Promise<string[]> {
  const paths: string[] = [];
  try {
    for await (const node of walkTree(client, path, options)) {
      if (node.depth > 0 || !keepRoot) paths.push(node.path);
    }
  } catch (error) {
    if (!hasCode(error, "NO_NODE")) throw error;
  }
  return paths;
}

/** Takes a batch from the end of the list, where the deepest nodes are. */
async function deleteBatch(client: Client, paths: string[], batchMax: number, options: CallOptions): Promise<number> {
  let count = 0;
  let chars = 0;
  for (
    let i = paths.length - 1;
    i >= 0 && !(count >= batchMax && count > 0) && chars < BATCH_TEXT_CHARS_MAX;
    i--, count++
  ) {
    chars += paths[i]!.length;
  }
  const batch = paths.slice(paths.length - count).reverse();
  await client.multi(
    batch.map((path) => ({ op: "delete", path }) as const),
    options,
  );
  paths.length -= count;
  return count;
}
