import type { Client } from "../client.js";
import { hasCode, ZkError } from "../errors.js";
import { createProtected } from "../retry/protected-create.js";
import { createParents } from "../tree/create-parents.js";
import type { CreateOptions } from "./create-options.js";

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
  const withinDeadline = deadlineOf(path, options);
  const create = (at: string): Promise<R> =>
    parents === false ? plain(at, withinDeadline()) : withParents(client, at, withinDeadline, parents, plain);
  if (protection === false) return await create(path);
  const patient = (): CreateOptions => ({ ...withinDeadline(), whenSuspended: "wait" });
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
  withinDeadline: () => CreateOptions,
  parents: true | "container",
  plain: (path: string, options: CreateOptions) => Promise<R>,
): Promise<R> {
  const mode = parents === "container" ? "container" : "persistent";
  for (let attempt = 1; ; attempt++) {
    try {
      return await plain(path, withinDeadline());
    } catch (error) {
      if (!hasCode(error, "NO_NODE") || attempt >= PARENTS_ATTEMPTS_MAX) throw error;
    }
    const { acl, signal, timeoutMs, whenSuspended, retry } = withinDeadline();
    await createParents(client, path, acl, mode, { signal, timeoutMs, whenSuspended, retry });
  }
}

/** The options of each single request, which has what is left of the time for the whole. */
function deadlineOf(path: string, options: CreateOptions): () => CreateOptions {
  const plainOptions: CreateOptions = { ...options, parents: undefined, protection: undefined, restore: undefined };
  if (options.timeoutMs === undefined) return () => plainOptions;
  const deadlineMs = performance.now() + options.timeoutMs;
  return () => {
    const timeoutMs = deadlineMs - performance.now();
    if (timeoutMs > 0) return { ...plainOptions, timeoutMs };
    const details = `${options.timeoutMs} ms`;
    throw new ZkError({ code: "REQUEST_TIMEOUT", outcome: "not-applied", operation: "create", path, details });
  };
}
