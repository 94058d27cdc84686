import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { AclEntry } from "../operations/acl.js";
import { childPath } from "../operations/paths.js";
import { Hold, type HoldOptions } from "./hold.js";
import { contenders, isTurn, type LineOrder, untilTurn } from "./line.js";
import type { FairLock, Participant } from "./lock.js";
import { createInLine, giveUp, giveUpSoon, type Mark, type OwnedNode } from "./owned-node.js";
import { isLastError, PATIENT, type Patience, patiently, type WaitOptions } from "./patience.js";

/** Whose names the nodes of a line have: processes contend with each other only if they agree on it. */
export type LineLayout = "curator" | "kazoo";

/** What the locks take. */
export interface LockOptions extends HoldOptions {
  /** Text by which others see who waits or holds. @default "" */
  readonly id?: string | undefined;
  /** Whose names to use. @default "curator" */
  readonly layout?: LineLayout | undefined;
  /** Who may do what with the nodes. @default OPEN_ACL */
  readonly acl?: readonly AclEntry[] | undefined;
}

/** How a kind of lock names its nodes and orders its line. */
export interface LineRules extends LineOrder {
  readonly mark: () => Mark;
  /** What follows the mark and precedes the number. */
  readonly name: string;
}

/** A lock for which contenders stand in line: all kinds of locks are this with rules of their own. */
export class LineLock implements FairLock {
  readonly path: string;
  private readonly client: Client;
  private readonly rules: LineRules;
  private readonly options: LockOptions;

  constructor(client: Client, path: string, rules: LineRules, options: LockOptions) {
    this.client = client;
    this.path = path;
    this.rules = rules;
    this.options = options;
  }

  acquire(options: WaitOptions = {}): Promise<Hold> {
    return patiently("acquire", this.path, options, (patience) => this.acquireWithin(patience));
  }

  tryAcquire(options: WaitOptions = {}): Promise<Hold | undefined> {
    return patiently("tryAcquire", this.path, options, (patience) => this.tryAcquireWithin(patience));
  }

  /** Who is in the line, in its order: those who hold it first. */
  async participants(): Promise<Participant[]> {
    const { client, path } = this;
    const line = await contenders(client, path, this.rules.pattern).catch((error: unknown) => {
      if (hasCode(error, "NO_NODE")) return [];
      throw error;
    });
    const read = line.map(async ({ name }): Promise<Participant | undefined> => {
      const at = childPath(path, name);
      try {
        return { path: at, id: String((await client.getData(at, PATIENT)) ?? "") };
      } catch (error) {
        if (hasCode(error, "NO_NODE")) return undefined; // it has left
        throw error;
      }
    });
    return (await Promise.all(read)).filter((participant) => participant !== undefined);
  }

  private async acquireWithin(patience: Patience): Promise<Hold> {
    for (;;) {
      try {
        const hold = await this.standInLine(patience);
        if (hold !== undefined) return hold; // else once more, at the end of the line
      } catch (error) {
        if (isLastError(this.client, error)) throw error; // else once more, in the next session
      }
    }
  }

  /** Undefined if its place was lost on the way. */
  private async standInLine(patience: Patience): Promise<Hold | undefined> {
    const { client, rules } = this;
    const node = await this.join(patience);
    try {
      if (await untilTurn(client, node, rules, patience)) return this.holdOf(node);
    } catch (error) {
      giveUpSoon(client, node);
      throw error;
    }
    giveUpSoon(client, node);
    return undefined;
  }

  private async tryAcquireWithin(patience: Patience): Promise<Hold | undefined> {
    const { client, rules } = this;
    const node = await this.join(patience);
    try {
      if (await patience.bound(isTurn(client, node, rules))) {
        const hold = this.holdOf(node);
        if (hold !== undefined) return hold;
      }
    } catch (error) {
      giveUpSoon(client, node);
      throw error;
    }
    await patience.bound(giveUp(client, node));
    return undefined;
  }

  /** Undefined if it has ended already: the session was lost, or may have been, on the way here. */
  private holdOf(node: OwnedNode): Hold | undefined {
    const hold = new Hold(this.client, node, this.options);
    if (hold.isHeld) return hold;
    void hold.release().catch(() => undefined);
    return undefined;
  }

  private join(patience: Patience): Promise<OwnedNode> {
    patience.throwIfOver();
    const { client, path, rules } = this;
    const { id = "", acl } = this.options;
    const joined = createInLine(client, path, rules.mark(), rules.name, { data: id, acl });
    return patience.bound(joined, (late) => giveUp(client, late));
  }
}
