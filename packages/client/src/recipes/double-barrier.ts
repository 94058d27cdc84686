import { randomUUID } from "node:crypto";
import type { Client } from "../client.js";
import { badArguments, hasCode, ZkError } from "../errors.js";
import { childPath, nodeName } from "../operations/paths.js";
import { Barrier } from "./barrier.js";
import { claim, giveUp, giveUpSoon, type OwnedNode } from "./owned-node.js";
import { ensureNode, isLastError, PATIENT, type Patience, patiently, type WaitOptions } from "./patience.js";
import { untilGone, untilThere, whileThere } from "./until-node.js";

const READY = "ready";

/** One who is in, or wants in. */
interface Member {
  readonly path: string;
  readonly token: bigint;
}

/**
 * Lets so many in together, and out together, round after round for as many members as it is made for. A member
 * whose session is lost counts as one that has left. The same as Curator's `DistributedDoubleBarrier`.
 *
 * The node `ready` opens a round: whoever sees that so many have come makes it. It is taken away by those
 * who leave, when all have, so that nobody of the round misses it and nobody of the next one finds it: who
 * wants to come again has taken it away itself. If all die between the two it stays, and is known for an old
 * one by this: it is older than everybody who is there.
 */
export class DoubleBarrier {
  readonly path: string;
  private readonly client: Client;
  private readonly membersMin: number;
  private readonly ready: string;
  private isUsed = false;
  private own: OwnedNode | undefined;

  constructor(client: Client, path: string, membersMin: number) {
    if (!Number.isInteger(membersMin) || membersMin < 1) {
      throw new RangeError(`the number of members as an integer above 0 expected, ${membersMin} found`);
    }
    this.client = client;
    this.path = path;
    this.membersMin = membersMin;
    this.ready = childPath(path, READY);
  }

  /**
   * Waits until so many have come.
   *
   * @throws REQUEST_TIMEOUT, ABORTED given up, and out again; SESSION_EXPIRED; BAD_ARGUMENTS entered before, and not left
   */
  async enter(options: WaitOptions = {}): Promise<void> {
    if (this.isUsed) throw badArguments("enter", this.path, "it has been entered already: leave it first");
    this.isUsed = true;
    try {
      this.own = await patiently("enter", this.path, options, async (patience) => {
        for (;;) {
          try {
            patience.throwIfOver();
            const own = await patience.bound(this.join(), (late) => giveUp(this.client, late));
            if (await this.pass(own, patience)) return own;
          } catch (error) {
            if (isLastError(this.client, error)) throw error; // else as a new member, in the next session
          }
        }
      });
    } catch (error) {
      this.isUsed = false;
      throw error;
    }
  }

  /** Leaves, and waits until all have. @throws REQUEST_TIMEOUT, ABORTED given up waiting, and gone; SESSION_EXPIRED */
  async leave(options: WaitOptions = {}): Promise<void> {
    const { own } = this;
    if (own === undefined) return;
    this.own = undefined;
    this.isUsed = false;
    await patiently("leave", this.path, options, (patience) => this.depart(own, patience));
  }

  private async join(): Promise<OwnedNode> {
    const path = childPath(this.path, randomUUID());
    const own = await claim(this.client, path, {});
    if (own !== undefined) return own;
    throw new ZkError({ code: "NODE_EXISTS", outcome: "not-applied", operation: "enter", path });
  }

  /** Waits to be let in; false if its node is gone, with its session or by somebody's hand: it was not counted. */
  private async pass(own: OwnedNode, patience: Patience): Promise<boolean> {
    const { client, ready } = this;
    let raising: Promise<void> | undefined;
    try {
      if (await patience.bound(this.isFull(own))) {
        raising = ensureNode(client, ready);
        await patience.bound(raising);
        return true;
      }
      await whileThere(client, own.path, patience, (bounds) => untilThere(client, ready, bounds));
      // Where both have changed while it was away, either may be told first.
      return (await patience.bound(client.exists(own.path, PATIENT))) !== null;
    } catch (error) {
      // Others may go in by what was under way: `ready` is then to be taken away as if this one had gone in too.
      if (raising === undefined) giveUpSoon(client, own);
      else void this.departAfter(raising, own);
      throw error;
    }
  }

  /** Whether so many are there, this one among them; if not, `ready` is not there, or was made in this round. */
  private async isFull(own: OwnedNode): Promise<boolean> {
    for (;;) {
      const names = await this.names();
      if (names.length >= this.membersMin) return names.includes(nodeName(own.path));
      const ready = await this.client.exists(this.ready, PATIENT);
      if (ready === null || ready.czxid > own.token) return false;
      const members = await this.membersOf(names);
      if (members.some(({ token }) => token < ready.czxid)) return false; // late, and let in
      await new Barrier(this.client, this.ready).lower();
    }
  }

  private async departAfter(raising: Promise<void>, own: OwnedNode): Promise<void> {
    await raising.catch(() => undefined);
    await patiently("leave", this.path, {}, (patience) => this.depart(own, patience)).catch(() => undefined);
  }

  private async depart(own: OwnedNode, patience: Patience): Promise<void> {
    const { client } = this;
    try {
      // Seen while this member is still there, these are of this round, and so is `ready`: the next cannot have begun.
      const members = this.names().then((names) => this.membersOf(names));
      const [others, ready] = await patience.bound(Promise.all([members, client.exists(this.ready, PATIENT)]));
      await patience.bound(giveUp(client, own));
      for (const { path, token } of others) if (path !== own.path) await untilGone(client, path, patience, token);
      await patience.bound(this.lower(ready?.czxid));
    } catch (error) {
      giveUpSoon(client, own);
      throw error;
    }
  }

  private async lower(token: bigint | undefined): Promise<void> {
    if (token === undefined) return;
    const ready = await this.client.exists(this.ready, PATIENT);
    if (ready?.czxid === token) await new Barrier(this.client, this.ready).lower();
  }

  private async names(): Promise<string[]> {
    try {
      return (await this.client.getChildren(this.path, PATIENT)).filter((name) => name !== READY);
    } catch (error) {
      if (hasCode(error, "NO_NODE")) return [];
      throw error;
    }
  }

  private async membersOf(names: readonly string[]): Promise<Member[]> {
    const paths = names.map((name) => childPath(this.path, name));
    const stats = await Promise.all(paths.map((path) => this.client.exists(path, PATIENT)));
    return paths.flatMap((path, i) => {
      const stat = stats[i];
      return stat ? [{ path, token: stat.czxid }] : [];
    });
  }
}
