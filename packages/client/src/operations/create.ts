import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import { createProtected } from "../retry/protected-create.js";
import { createParents } from "../tree/create-parents.js";
import type { CreateOptions } from "./create-options.js";
import { withinDeadline } from "./several-writes.js";

/** Containers may be swept away between their creation and that of the first child. */
const PARENTS_ATTEMPTS_MAX = 5;

/**
 * What `create` does beyond one request: `parents` and `protection`. `plain` makes the request itself;
 * `found` gives its result for a node that turned out to be there.
 */
export async function createWith<R>(
  client: Client,
  path: string,
  options: CreateOptions,
  plain: (path: string, options: CreateOptions) => Promise<R>,
  found: (path: string, options: CreateOptions) => Promise<R>,
): Promise<R> {
  const { parents = false, protection = false } = options;
  const plainOptions: CreateOptions = { ...options, parents: undefined, protection: undefined, restore: undefined };
  const left = withinDeadline("create", path, plainOptions);
  const create = (at: string): Promise<R> =>
    parents === false ? plain(at, left()) : withParents(client, at, left, parents, plain);
  if (protection === false || protection === "") return await create(path);
  const patient = (): CreateOptions => ({ ...left(), whenSuspended: "wait" });
  const host = {
    create,
    sync: (at: string) => client.sync(at, patient()),
    getChildren: (at: string) => childrenOf(client, at, patient()),
    found: (at: string) => found(at, patient()),
  };
  return await createProtected(host, path, protection);
}

/** Nothing is to be found below a node that is not there; where `parents` are made, it is on its way. */
async function childrenOf(client: Client, path: string, options: CreateOptions): Promise<string[]> {
  try {
    return await client.getChildren(path, options);
  } catch (error) {
    if (hasCode(error, "NO_NODE")) return [];
    throw error;
  }
}

async function withParents<R>(
  client: Client,
  path: string,
  left: () => CreateOptions,
  parents: true | "container",
  plain: (path: string, options: CreateOptions) => Promise<R>,
): Promise<R> {
  const mode = parents === "container" ? "container" : "persistent";
  for (let attempt = 1; ; attempt++) {
    try {
      return await plain(path, left());
    } catch (error) {
      if (!hasCode(error, "NO_NODE") || attempt >= PARENTS_ATTEMPTS_MAX) throw error;
    }
    const { acl, signal, timeoutMs, whenSuspended, retry } = left();
    await createParents(client, path, acl, mode, { signal, timeoutMs, whenSuspended, retry });
  }
}
