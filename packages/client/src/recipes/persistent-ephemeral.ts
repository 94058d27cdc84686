import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { AclEntry } from "../operations/acl.js";
import type { NodeContent } from "../operations/create-options.js";
import type { Change } from "../operations/update.js";
import { claim, giveUp, type OwnedNode } from "./owned-node.js";
import { isLastError, PATIENT } from "./patience.js";

/** What a `PersistentEphemeral` takes. */
export interface PersistentEphemeralOptions {
  /** Who may do what with the node. @default OPEN_ACL */
  readonly acl?: readonly AclEntry[] | undefined;
}

/**
 * An ephemeral node that is made again whenever it is gone while its owner lives: somebody deleted it, or
 * its session was lost and the client has opened another (`whenLost: "renew"`). Where another session has
 * a node of that name, as that of a process just restarted, it waits for its end.
 */
export class PersistentEphemeral implements AsyncDisposable {
  readonly path: string;
  /** Resolves when the node is there for the first time; rejects where it may not be made, or is closed before. */
  readonly ready: Promise<void>;
  /** Resolves when it was closed; rejects with what ended it otherwise, such as SESSION_EXPIRED or NO_AUTH. */
  readonly closed: Promise<void>;
  private readonly client: Client;
  private readonly options: PersistentEphemeralOptions & { data: NodeContent };
  private readonly closing = new AbortController();
  private own: OwnedNode | undefined;

  constructor(client: Client, path: string, data: NodeContent = null, options: PersistentEphemeralOptions = {}) {
    this.client = client;
    this.path = path;
    this.options = { ...options, data };
    let tellReady: () => void = () => undefined;
    const isThere = new Promise<void>((resolve) => {
      tellReady = resolve;
    });
    this.closed = this.run(() => tellReady());
    const neverThere = this.closed.then(() => Promise.reject(this.closing.signal.reason));
    this.ready = Promise.race([isThere, neverThere]);
    this.closed.catch(() => undefined);
    this.ready.catch(() => undefined);
  }

  /** Replaces what it holds, now and whenever it is made again. Another session's node of that name is left as it is. */
  async setData(data: NodeContent): Promise<void> {
    this.options.data = data;
    await this.ready;
    try {
      const ifOwn: Change = (_, stat) =>
        stat?.ephemeralOwner === this.client.sessionId ? this.options.data : undefined;
      await this.client.update(this.path, ifOwn, PATIENT);
    } catch (error) {
      if (!hasCode(error, "NO_NODE")) throw error; // being made again, with the new data
    }
  }

  /** Deletes the node; resolves when it is gone. Can be called again. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.closed.catch(() => undefined);
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async run(tellReady: () => void): Promise<void> {
    const { client } = this;
    const { signal } = this.closing;
    try {
      while (!signal.aborted) {
        try {
          await this.keep(tellReady);
        } catch (error) {
          if (signal.aborted) return;
          if (isLastError(client, error)) throw error;
        }
      }
    } finally {
      if (this.own !== undefined) await giveUp(client, this.own);
    }
  }

  /** Makes it if it is not there, and waits for the next thing that happens to it. */
  private async keep(tellReady: () => void): Promise<void> {
    const { client, path } = this;
    const claimed = await claim(client, path, this.options);
    if (claimed !== undefined) this.own = claimed;
    const { stat, changed } = await client.watchExists(path, { ...PATIENT, signal: this.closing.signal });
    if (stat === null) return;
    const { czxid: token, ephemeralOwner: sessionId } = stat;
    // Also one that stands already, such as when only what it holds was changed; never another session's.
    this.own = sessionId === client.sessionId ? { path, token, sessionId } : undefined;
    if (this.own !== undefined) tellReady();
    await changed;
  }
}
