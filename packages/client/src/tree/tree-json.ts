import type { Client } from "../client.js";
import { badArguments, hasCode } from "../errors.js";
import type { AclEntry } from "../operations/acl.js";
import type { CallOptions } from "../operations/call-options.js";
import { partlyApplied, withinDeadline } from "../operations/several-writes.js";
import { createParents } from "./create-parents.js";
import { type WalkedNode, walkTree } from "./walk-tree.js";

/** A subtree as plain data: what `JSON.stringify` takes and `importTree` gives back. */
export interface TreeJson {
  readonly format: "zookeeper-tree";
  readonly version: 1;
  /** Parents before children; the first is the root of the subtree. */
  readonly nodes: readonly TreeJsonNode[];
}

/** One node of a subtree. */
export interface TreeJsonNode {
  /** Below the root of the subtree: "" for itself, "/a/b". */
  readonly path: string;
  /** As text, where the bytes are text. Neither this nor `base64`: null. */
  readonly text?: string | undefined;
  /** Where they are not. */
  readonly base64?: string | undefined;
  /** Where it was asked for. */
  readonly acl?: readonly AclEntry[] | undefined;
}

/** What `exportTree` takes. */
export interface ExportOptions extends CallOptions {
  /** Also the access control lists. @default false */
  readonly acl?: boolean | undefined;
}

/** What `importTree` takes. */
export interface ImportOptions extends CallOptions {
  /** What to do with a node that is there already. @default "fail" */
  readonly whenExists?: "fail" | "keep" | "overwrite" | undefined;
}

/**
 * Reads a subtree into plain data. Ephemeral nodes belong to their sessions and are left out. It is no
 * snapshot of one moment where others write meanwhile.
 *
 * @throws NO_NODE; NO_AUTH
 */
export async function exportTree(client: Client, path: string, options: ExportOptions = {}): Promise<TreeJson> {
  const { acl = false, ...callOptions } = options;
  const left = withinDeadline("exportTree", path, callOptions);
  const nodes: TreeJsonNode[] = [];
  const base = path === "/" ? "" : path;
  for await (const node of walkTree(client, path, { ...left(), data: true })) {
    if (node.stat.ephemeralOwner !== 0n) continue;
    const entries = acl ? await aclOf(client, node, left()) : undefined;
    if (entries === null) continue;
    nodes.push({
      path: node.path === "/" ? "" : node.path.slice(base.length),
      ...contentJson(node.data),
      ...(entries === undefined ? {} : { acl: entries }),
    });
  }
  return { format: "zookeeper-tree", version: 1, nodes };
}

/**
 * Creates the nodes of an exported subtree at `path`, parents first; what is missing above is created
 * too. Returns how many nodes were created or overwritten.
 *
 * @throws BAD_ARGUMENTS it is not an exported subtree; NODE_EXISTS with `whenExists: "fail"`; NO_AUTH
 */
export async function importTree(
  client: Client,
  path: string,
  tree: TreeJson,
  options: ImportOptions = {},
): Promise<number> {
  const { whenExists = "fail", ...callOptions } = options;
  if (tree.format !== "zookeeper-tree" || tree.version !== 1 || !Array.isArray(tree.nodes)) {
    throw badArguments("importTree", path, "data of format zookeeper-tree, version 1, expected");
  }
  const left = withinDeadline("importTree", path, callOptions);
  await createParents(client, path, undefined, "persistent", left());
  let written = 0;
  for (const node of tree.nodes) {
    const target = `${path === "/" ? "" : path}${node.path}` || "/";
    try {
      if (await writeNode(client, target, node, whenExists, left())) written++;
    } catch (error) {
      throw written === 0 ? error : partlyApplied(error, "importTree", path);
    }
  }
  return written;
}

/** False for a node that is kept as it is. */
async function writeNode(
  client: Client,
  target: string,
  node: TreeJsonNode,
  whenExists: ImportOptions["whenExists"],
  options: CallOptions,
): Promise<boolean> {
  const data = contentOf(node);
  try {
    await client.create(target, data, { ...options, acl: node.acl });
    return true;
  } catch (error) {
    if (!hasCode(error, "NODE_EXISTS") || (whenExists === "fail" && target !== "/")) throw error;
  }
  if (whenExists !== "overwrite") return false;
  await client.setData(target, data, options);
  if (node.acl !== undefined) await client.setAcl(target, node.acl, options);
  return true;
}

/** Copies a subtree to another place, perhaps of another ensemble. Ephemeral nodes are left out. */
export async function copyTree(
  source: Client,
  from: string,
  to: string,
  options: ExportOptions & ImportOptions & { readonly target?: Client | undefined } = {},
): Promise<number> {
  const { target = source, ...rest } = options;
  if (target === source && (to === from || to.startsWith(from === "/" ? "/" : `${from}/`))) {
    throw badArguments("copyTree", to, `a place outside of ${from} expected`);
  }
  const left = withinDeadline("copyTree", to, rest);
  return await importTree(target, to, await exportTree(source, from, left()), left());
}

/** Null for a node below the first that is gone by now. */
async function aclOf(client: Client, { path, depth }: WalkedNode, options: CallOptions) {
  try {
    return (await client.getAcl(path, options)).acl;
  } catch (error) {
    if (depth > 0 && hasCode(error, "NO_NODE")) return null;
    throw error;
  }
}

const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function contentJson(data: Buffer | null): Pick<TreeJsonNode, "text" | "base64"> {
  if (data === null) return {};
  try {
    return { text: textDecoder.decode(data) };
  } catch {
    return { base64: data.toString("base64") };
  }
}

function contentOf(node: TreeJsonNode): string | Uint8Array | null {
  if (node.base64 !== undefined) return Buffer.from(node.base64, "base64");
  return node.text ?? null;
}
