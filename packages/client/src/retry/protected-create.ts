import { randomUUID } from "node:crypto";
import { ZkError } from "../errors.js";
import { childPath, nodeName, parentPath } from "../operations/paths.js";

/** What is needed of a client. Every method waits out a lost connection, up to the call's deadline. */
export interface ProtectedCreateHost<R> {
  create(path: string): Promise<R>;
  /** Waits until all that the servers accepted earlier is to be seen. */
  sync(path: string): Promise<void>;
  getChildren(path: string): Promise<string[]>;
  /** The result for a node that was found to be there. */
  found(path: string): Promise<R>;
}

/**
 * Creates a node and, when the reply is lost, finds out whether it was made, by a text in its name that
 * nobody else's name holds. Source of the idea: Curator's "protection".
 *
 * Looking is sound once `sync` is answered on the new connection: a create that was still on its way
 * through the old server cannot take effect later, since the leader refuses what comes from a server
 * that the session has left; and on the same server it stands before the sync.
 */
export async function createProtected<R>(
  host: ProtectedCreateHost<R>,
  path: string,
  protection: true | string,
): Promise<R> {
  const mark = protection === true ? `_c_${randomUUID()}-` : protection;
  const parent = parentPath(path);
  const marked = protection === true ? childPath(parent, mark + nodeName(path)) : path;
  let inDoubt = false;
  for (;;) {
    try {
      if (inDoubt) {
        await host.sync(parent);
        const own = (await host.getChildren(parent)).find((name) => name.includes(mark));
        if (own !== undefined) return await host.found(childPath(parent, own));
        inDoubt = false;
      }
      return await host.create(marked);
    } catch (error) {
      if (!(error instanceof ZkError)) throw error;
      if (error.code === "CONNECTION_LOSS" && (inDoubt || error.outcome === "unknown")) inDoubt = true;
      else throw inDoubt ? stillInDoubt(error, path) : error;
    }
  }
}

/** The look failed, and with it the hope to know what became of the create. */
function stillInDoubt(error: ZkError, path: string): ZkError {
  return new ZkError({ code: error.code, outcome: "unknown", operation: "create", path, cause: error });
}
