import { randomUUID } from "node:crypto";
import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { AclEntry } from "../operations/acl.js";
import type { NodeContent } from "../operations/create-options.js";
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
    const { path, stat } = await client.createWithStat(`${parent}/${mark.text}${name}`, data, {
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

/** Creates an ephemeral node of a given name; undefined if another session has it. */
export async function claim(
  client: Client,
  path: string,
  { data = null, acl }: OwnedNodeOptions,
): Promise<OwnedNode | undefined> {
  for (let inDoubt = false; ; ) {
    const { sessionId } = client;
    try {
      const { stat } = await client.createWithStat(path, data, {
        ...PATIENT,
        mode: "ephemeral",
        parents: "container",
        acl,
      });
      return { path, token: stat.czxid, sessionId };
    } catch (error) {
      if (hasCode(error, "CONNECTION_LOSS")) {
        inDoubt ||= error.outcome === "unknown";
        continue;
      }
      if (!hasCode(error, "NODE_EXISTS")) throw error;
    }
    const stat = await client.exists(path, PATIENT);
    if (stat === null) continue;
    if (!inDoubt || stat.ephemeralOwner !== client.sessionId) return undefined;
    return { path, token: stat.czxid, sessionId: stat.ephemeralOwner }; // ours, by the try whose reply was lost
  }
}

/**
 * Deletes a node that the session owns, however often the connection is lost; never one of the same name
 * that somebody else has made since. Where the session has ended there is nothing to do.
 */
export async function giveUp(client: Client, { path, sessionId }: OwnedNode): Promise<void> {
  for (let inDoubt = false; client.sessionId === sessionId; ) {
    try {
      if (inDoubt && (await client.exists(path, PATIENT))?.ephemeralOwner !== sessionId) return;
      await client.delete(path, PATIENT);
      return;
    } catch (error) {
      if (hasCode(error, "NO_NODE") || isSessionEnd(error)) return;
      if (!hasCode(error, "CONNECTION_LOSS")) throw error;
      inDoubt = true;
    }
  }
}
