import type { Client } from "../client.js";
import { hasCode, type ZkError } from "../errors.js";
import type { AclEntry } from "../operations/acl.js";
import type { CallOptions } from "../operations/call-options.js";
import { parentPath } from "../operations/paths.js";

/**
 * Creates what is missing above a node, all with one trip to the server: the requests leave together and
 * take effect in their order.
 *
 * @throws NO_NODE the client's chroot itself is missing
 */
export async function createParents(
  client: Pick<Client, "create">,
  path: string,
  acl: readonly AclEntry[] | undefined,
  mode: "persistent" | "container",
  options: CallOptions,
): Promise<void> {
  const parents: string[] = [];
  for (let parent = parentPath(path); parent !== "/"; parent = parentPath(parent)) parents.unshift(parent);
  const creates = parents.map((parent) => client.create(parent, null, { ...options, acl, mode }));
  for (const created of await Promise.allSettled(creates)) {
    // Who may not create a node may find it there all the same: the create below it will tell.
    if (created.status === "rejected" && !hasCode(created.reason, "NODE_EXISTS", "NO_AUTH")) {
      throw created.reason as ZkError;
    }
  }
}
