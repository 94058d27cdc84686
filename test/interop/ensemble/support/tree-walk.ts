/** A server's whole tree as a client connected to it alone sees it. */
import { type Client, connect, type Stat } from "@watchkeeper/client";

const NODES_AT_ONCE = 200;
const SESSION_MS = 10_000;

/** Runs with a client that knows no other server than the one at this address. */
export async function withClientOf<T>(connectString: string, run: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(connectString, { sessionTimeoutMs: SESSION_MS });
  try {
    return await run(client);
  } finally {
    await client.close();
  }
}

/**
 * One line per node: path, data, every field of the Stat, the ACL; sorted. Nothing may change meanwhile.
 * Subtrees `without` which it is read are left out.
 */
export async function treeLines(client: Client, without: readonly string[] = []): Promise<string[]> {
  const lines: string[] = [];
  const toRead = ["/"];
  while (toRead.length > 0) {
    const paths = toRead.splice(0, NODES_AT_ONCE);
    for (const node of await Promise.all(paths.map((path) => readNode(client, path)))) {
      lines.push(node.line);
      toRead.push(...node.children.filter((path) => !without.includes(path)));
    }
  }
  return lines.sort();
}

async function readNode(client: Client, path: string): Promise<{ line: string; children: string[] }> {
  const [{ data, stat }, { acl }, children] = await Promise.all([
    client.getDataWithStat(path),
    client.getAcl(path),
    client.getChildren(path),
  ]);
  const acls = acl.map((entry) => JSON.stringify(entry)).join(",");
  const line = `${path} data=${data?.toString("latin1") ?? "null"} ${statText(path, stat)} acl=${acls}`;
  return { line, children: children.map((name) => `${path === "/" ? "" : path}/${name}`) };
}

/** Every server writes the node of the configuration by itself at its start, with its own clock. */
function statText(path: string, stat: Stat): string {
  return Object.entries(stat)
    .filter(([field]) => path !== "/zookeeper/config" || field !== "mtime")
    .map(([field, value]) => `${field}=${value}`)
    .join(" ");
}
