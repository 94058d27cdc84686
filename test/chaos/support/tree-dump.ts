/**
 * A server's whole tree as clients see it: path, data, every field of the Stat and the ACL, one line a
 * node. Two servers with the same history have the same lines, whoever wrote them.
 */
import { type Acl, JuteReader, opcode, pathBody, readAcls, readBody, readStat, type Stat } from "./jute.js";
import type { RawClient } from "./raw-client.js";

export interface DumpedNode {
  readonly data: Buffer | null;
  readonly stat: Stat;
  readonly acls: readonly Acl[];
}

export type TreeDump = ReadonlyMap<string, DumpedNode>;

const NODES_AT_ONCE = 100;

/** The nodes at and below `top`, none where it does not exist. The tree must not change meanwhile. */
export async function dumpTree(client: RawClient, top = "/"): Promise<TreeDump> {
  const nodes = new Map<string, DumpedNode>();
  const toRead = [top];
  while (toRead.length > 0) {
    const paths = toRead.splice(0, NODES_AT_ONCE);
    for (const children of await Promise.all(paths.map((path) => dumpNode(client, path, nodes)))) {
      toRead.push(...children);
    }
  }
  return nodes;
}

async function dumpNode(client: RawClient, path: string, into: Map<string, DumpedNode>): Promise<string[]> {
  const [got, acl, children] = await Promise.all([
    client.request(opcode.getData, readBody(path)),
    client.request(opcode.getAcl, pathBody(path)),
    client.request(opcode.getChildren, readBody(path)),
  ]);
  const errors = [got.err, acl.err, children.err];
  if (errors.every((err) => err === NO_NODE)) return [];
  if (errors.some((err) => err !== 0)) throw new Error(`${path} cannot be read: errors ${errors.join(", ")}`);
  const data = new JuteReader(got.body);
  into.set(path, { data: data.buffer(), stat: readStat(data), acls: readAcls(new JuteReader(acl.body)) });
  const names = new JuteReader(children.body);
  return names.list(() => `${path === "/" ? "" : path}/${names.text()}`);
}

const NO_NODE = -101;

export function dumpLines(dump: TreeDump): string[] {
  return [...dump]
    .map(([path, { data, stat, acls }]) => {
      const acl = acls.map(({ perms, scheme, id }) => `${perms}:${scheme}:${id}`).join(",");
      return `${path} data=${data?.toString("hex") ?? "null"} ${Object.entries(stat)
        .map(([field, value]) => `${field}=${value}`)
        .join(" ")} acl=${acl}`;
    })
    .sort();
}

/** @returns the first lines in which they differ, none where they are the same */
export function differences(ours: TreeDump, theirs: TreeDump): string[] {
  const left = new Set(dumpLines(ours));
  const right = new Set(dumpLines(theirs));
  const missing = [...left].filter((line) => !right.has(line)).map((line) => `only the first: ${line}`);
  const added = [...right].filter((line) => !left.has(line)).map((line) => `only the second: ${line}`);
  return [...missing.slice(0, DIFFERENCES_MAX), ...added.slice(0, DIFFERENCES_MAX)].map((line) => line.slice(0, 600));
}

const DIFFERENCES_MAX = 5;
