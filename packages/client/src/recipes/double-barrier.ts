import { randomUUID } from "node:crypto";
import type { Client } from "../client.js";
import { hasCode, ZkError } from "../errors.js";
import { childPath } from "../operations/paths.js";
import { Barrier, untilExists } from "./barrier.js";
import { claim, giveUp, type OwnedNode } from "./owned-node.js";
import { ensureNode, PATIENT, Patience, type WaitOptions } from "./patience.js";

const READY = "ready";

/**
 * Lets so many in together, and out together. For one round: who comes while others leave takes another
 * path. A member whose session is lost counts as one that has left. The same as Curator's
 * `DistributedDoubleBarrier`.
 */
export class DoubleBarrier {
  readonly path: string;
  private readonly client: Client;
  private readonly membersMin: number;
  private readonly ready: string;
  private own: OwnedNode | undefined;

  constructor(client: Client, path: string, membersMin: number) {
    this.client = client;
    this.path = path;
    this.membersMin = membersMin;
    this.ready = childPath(path, READY);
  }

  /** Waits until so many have come. @throws REQUEST_TIMEOUT, ABORTED given up, and out again; SESSION_EXPIRED */
  async enter(options: WaitOptions = {}): Promise<void> {
    const { client } = this;
    const patience = new Patience("enter", this.path, options);
    const own = await patience.bound(this.join(), (late) => giveUp(client, late));
    try {
      if ((await this.others(undefined)).length >= this.membersMin) await ensureNode(client, this.ready);
      else await untilExists(client, this.ready, true, patience);
      this.own = own;
    } catch (error) {
      void giveUp(client, own).catch(() => undefined);
      throw patience.errorOf(error);
    }
  }

  /** Leaves, and waits until all have. @throws REQUEST_TIMEOUT, ABORTED given up waiting, and gone; SESSION_EXPIRED */
  async leave(options: WaitOptions = {}): Promise<void> {
    const { client, own } = this;
    if (own === undefined) return;
    this.own = undefined;
    const patience = new Patience("leave", this.path, options);
    await patience.bound(giveUp(client, own));
    for (const name of await patience.bound(this.others(own))) {
      await untilExists(client, childPath(this.path, name), false, patience);
    }
    await new Barrier(client, this.ready).lower();
  }

  private async join(): Promise<OwnedNode> {
    const path = childPath(this.path, randomUUID());
    const own = await claim(this.client, path, {});
    if (own !== undefined) return own;
    throw new ZkError({ code: "NODE_EXISTS", outcome: "not-applied", operation: "enter", path });
  }

  private async others(own: OwnedNode | undefined): Promise<string[]> {
    const names = await this.client.getChildren(this.path, PATIENT).catch((error: unknown) => {
      if (hasCode(error, "NO_NODE")) return [];
      throw error;
    });
    return names.filter((name) => name !== READY && childPath(this.path, name) !== own?.path);
  }
}
