import { randomUUID } from "node:crypto";
import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { AclEntry } from "../operations/acl.js";
import { contentBytes, type NodeContent } from "../operations/create-options.js";
import { childPath } from "../operations/paths.js";
import type { NodeData } from "../operations/requests.js";
import type { Stat } from "../operations/stat.js";
import { isSessionEnd, PATIENT } from "./patience.js";

/** An ephemeral node of this client's session, by which it has or waits for something. */
export interface OwnedNode {
  readonly path: string;
  /** The zxid of its creation: larger than that of every node created before, anywhere. */
  readonly token: bigint;
  readonly sessionId: bigint;
}

export interface OwnedNodeOptions {
  readonly data?: NodeContent | undefined;
  readonly acl?: readonly AclEntry[] | undefined;
}

/** What is put before the name in protected creation, Curator's way and kazoo's. */
export interface Mark {
  readonly text: string;
}

export function curatorMark(): Mark {
  return { text: `_c_${randomUUID()}-` };
}

export function kazooMark(): Mark {
  return { text: randomUUID().replaceAll("-", "") };
}

/**
 * Creates a sequential ephemeral node, exactly one however often the connection is lost: `mark` is in the
 * name, so that the node is found again when its reply was lost.
 */
export async function createInLine(
  client: Client,
  parent: string,
  mark: Mark,
  name: string,
  { data = null, acl }: OwnedNodeOptions,
): Promise<OwnedNode> {
  for (;;) {
    const { path, stat } = await client.createWithStat(childPath(parent, mark.text + name), data, {
      ...PATIENT,
      mode: "ephemeral-sequential",
      parents: "container",
      protection: mark.text,
      acl,
    });
    // Found again, but made by a session that was lost and renewed in between: it is on its way out.
    if (stat.ephemeralOwner === client.sessionId) return { path, token: stat.czxid, sessionId: client.sessionId };
    await client.delete(path, PATIENT).catch(() => undefined);
  }
}

/**
 * Creates an ephemeral node of a given name; undefined if somebody else has it. When a reply was lost, the
 * node is known again by its session and by `data`: to whom of one session it matters which of them has it,
 * each gives other data. `create` is for whoever does more in the same step.
 */
export async function claim(
  client: Client,
  path: string,
  { data = null, acl }: OwnedNodeOptions,
  create = (): Promise<{ readonly stat: Stat }> =>
    client.createWithStat(path, data, { ...PATIENT, mode: "ephemeral", parents: "container", acl }),
): Promise<OwnedNode | undefined> {
  for (let inDoubt = false; ; ) {
    try {
      const { stat } = await create();
      return { path, token: stat.czxid, sessionId: stat.ephemeralOwner };
    } catch (error) {
      if (hasCode(error, "CONNECTION_LOSS")) {
        inDoubt ||= error.outcome === "unknown";
        continue;
      }
      if (!hasCode(error, "NODE_EXISTS")) throw error;
    }
    if (!inDoubt) return undefined;
    const found = await readIfThere(client, path);
    if (found === undefined) continue;
    const { stat } = found;
    if (stat.ephemeralOwner !== client.sessionId || !isSame(found.data, data)) return undefined;
    return { path, token: stat.czxid, sessionId: stat.ephemeralOwner }; // ours, by the try whose reply was lost
  }
}

async function readIfThere(client: Client, path: string): Promise<NodeData | undefined> {
  try {
    return await client.getDataWithStat(path, PATIENT);
  } catch (error) {
    if (hasCode(error, "NO_NODE")) return undefined;
    throw error;
  }
}

function isSame(found: Uint8Array | null, given: NodeContent): boolean {
  return Buffer.compare(found ?? NOTHING, contentBytes(given) ?? NOTHING) === 0;
}

const NOTHING = Buffer.alloc(0);

/**
 * Deletes a node that the session owns, however often the connection is lost; never one of the same name
 * that somebody has made since. Where the session has ended there is nothing to do.
 */
export async function giveUp(client: Client, node: OwnedNode): Promise<void> {
  const { path, sessionId } = node;
  for (let inDoubt = false; client.sessionId === sessionId; ) {
    try {
      if (inDoubt && !(await isStillThere(client, node))) return;
      await client.delete(path, PATIENT);
      return;
    } catch (error) {
      if (hasCode(error, "NO_NODE") || isSessionEnd(error)) return;
      if (!hasCode(error, "CONNECTION_LOSS")) throw error;
      inDoubt = true;
    }
  }
}

/** As `giveUp`, for whoever has nothing to wait for: there may be no connection for as long as the session lives. */
export function giveUpSoon(client: Client, node: OwnedNode): void {
  giveUp(client, node).catch(() => undefined);
}

/**
 * Without the `sync`, a server that is behind could still show the node after the delete whose reply was
 * lost has taken it away, and the next delete would hit another's node of the same name.
 */
async function isStillThere(client: Client, { path, token }: OwnedNode): Promise<boolean> {
  await client.sync(path, PATIENT);
  return (await client.exists(path, PATIENT))?.czxid === token;
}
