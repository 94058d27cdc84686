import { type Client, ZkError } from "@watchkeeper/client";

export interface SubtreeNode {
  readonly path: string;
  readonly name: string;
  /** Sorted by name; empty below the depth that was asked for, see `childCount`. */
  readonly children: SubtreeNode[];
  childCount: number;
  /** Its children may not be listed with the present credentials. */
  refused: boolean;
}

/** Requests in flight at once: enough to hide the way to the server, not enough to swamp it. */
const BATCH = 256;

export function childPath(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/**
 * Reads the names below a path, level by level. It is no snapshot: nodes may come and go meanwhile, and
 * those that went are left out.
 *
 * @throws ZkError NO_NODE or NO_AUTH for the path itself
 */
export async function readSubtree(client: Client, path: string, depthMax: number): Promise<SubtreeNode> {
  const root = newNode(path, path);
  let level = [root];
  for (let depth = 0; depth < depthMax && level.length > 0; depth++) {
    for (let i = 0; i < level.length; i += BATCH) {
      await Promise.all(level.slice(i, i + BATCH).map((node) => readChildren(client, node, node === root)));
    }
    level = level.flatMap((node) => node.children);
  }
  for (let i = 0; i < level.length; i += BATCH) {
    await Promise.all(level.slice(i, i + BATCH).map((node) => readChildCount(client, node, node === root)));
  }
  return root;
}

/** The nodes of a subtree, each before its children. */
export function* walk(node: SubtreeNode): Generator<SubtreeNode> {
  const stack = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    yield next;
    for (let i = next.children.length - 1; i >= 0; i--) stack.push(next.children[i]!);
  }
}

function newNode(path: string, name: string): SubtreeNode {
  return { path, name, children: [], childCount: 0, refused: false };
}

async function readChildren(client: Client, node: SubtreeNode, isRoot: boolean): Promise<void> {
  const names = await unlessGone(client.getChildren(node.path), node, isRoot);
  node.childCount = names?.length ?? 0;
  for (const name of names?.sort() ?? []) node.children.push(newNode(childPath(node.path, name), name));
}

async function readChildCount(client: Client, node: SubtreeNode, isRoot: boolean): Promise<void> {
  node.childCount = (await unlessGone(client.exists(node.path), node, isRoot))?.numChildren ?? 0;
}

async function unlessGone<T>(read: Promise<T>, node: SubtreeNode, isRoot: boolean): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isRoot || !(error instanceof ZkError)) throw error;
    if (error.code === "NO_AUTH") node.refused = true;
    else if (error.code !== "NO_NODE") throw error;
    return undefined;
  }
}
