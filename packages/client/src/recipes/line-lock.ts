import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { AclEntry } from "../operations/acl.js";
import { childPath } from "../operations/paths.js";
import { Hold, type HoldOptions } from "./hold.js";
import { type BlockerOf, contenders, isTurn, untilTurn } from "./line.js";
import type { Lock, Participant } from "./lock.js";
import { createInLine, giveUp, type Mark, type OwnedNode } from "./owned-node.js";
import { PATIENT, Patience, type WaitOptions } from "./patience.js";

/** Whose names the nodes of a line have: processes contend with each other only if they agree on it. */
export type LineLayout = "curator" | "kazoo";

export interface LockOptions extends HoldOptions {
  /** Text by which others see who waits or holds. @default "" */
  readonly id?: string | undefined;
  /** Whose names to use. @default "curator" */
  readonly layout?: LineLayout | undefined;
  /** Who may do what with the nodes. @default OPEN_ACL */
  readonly acl?: readonly AclEntry[] | undefined;
}

/** How a kind of lock names its nodes and orders its line. */
export interface LineRules {
  readonly mark: () => Mark;
  /** What follows the mark and precedes the number. */
  readonly name: string;
  /** Who is in the line: captures the kind and the number. */
  readonly pattern: RegExp;
  readonly blockerOf: BlockerOf;
}

/** A lock for which contenders stand in line: all kinds of locks are this with rules of their own. */
export class LineLock implements Lock {
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

  async acquire(options: WaitOptions = {}): Promise<Hold> {
    const { client, rules } = this;
    const patience = new Patience("acquire", this.path, options);
    for (;;) {
      const node = await patience.bound(this.join(), (late) => giveUp(client, late));
      try {
        if (await untilTurn(client, node, rules.pattern, rules.blockerOf, patience)) {
          const hold = new Hold(client, node, this.options);
          if (hold.isHeld) return hold;
        }
        void giveUp(client, node).catch(() => undefined); // and once more, at the end of the line
      } catch (error) {
        void giveUp(client, node).catch(() => undefined);
        throw patience.errorOf(error);
      }
    }
  }

  async tryAcquire(): Promise<Hold | undefined> {
    const { client, rules } = this;
    const node = await this.join();
    try {
      if (await isTurn(client, node, rules.pattern, rules.blockerOf)) {
        const hold = new Hold(client, node, this.options);
        if (hold.isHeld) return hold;
      }
    } catch (error) {
      void giveUp(client, node).catch(() => undefined);
      throw error;
    }
    await giveUp(client, node);
    return undefined;
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

  private join(): Promise<OwnedNode> {
    const { id = "", acl } = this.options;
    return createInLine(this.client, this.path, this.rules.mark(), this.rules.name, { data: id, acl });
  }
}
