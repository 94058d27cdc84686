import { randomUUID } from "node:crypto";
import type { Client } from "../client.js";
import { hasCode, ZkError } from "../errors.js";
import type { NodeContent } from "../operations/create-options.js";
import { childPath } from "../operations/paths.js";
import { Hold, type HoldOptions } from "./hold.js";
import { claim } from "./owned-node.js";
import { PATIENT, type Patience, patiently, type WaitOptions } from "./patience.js";
import { listEntries, type PutOptions, putEntry } from "./queue-entries.js";
import { watching } from "./until-node.js";

/** An entry that nobody else can take until it is put back, or the session of who has it is lost. */
export interface WorkItem {
  readonly data: Buffer | null;
  /** Its `signal` says when to stop, its `token` lets the result's place refuse a slower taker of the same entry. */
  readonly hold: Hold;
  /**
   * Takes the entry out of the queue: the work is done. By the error's `outcome` it may be out all the same.
   *
   * @throws what `hold.signal.reason` says if it is held no more; NO_NODE; BAD_VERSION another has it
   */
  consume(): Promise<void>;
  /** Leaves the entry to the next taker, at its old place. */
  putBack(): Promise<void>;
}

/**
 * A queue with priorities whose entries stay until their work is done: each is worked on at least once, by
 * one at a time. The entries of whoever dies are taken by others. The same as kazoo's `LockingQueue`.
 *
 * ```ts
 * const queue = new WorkQueue(client, "/jobs");
 * const item = await queue.take();
 * await work(item.data, { signal: item.hold.signal, fencingToken: item.hold.token });
 * await item.consume();
 * ```
 */
export class WorkQueue {
  readonly path: string;
  private readonly client: Client;
  private readonly options: HoldOptions;
  private readonly entries: string;
  private readonly taken: string;

  constructor(client: Client, path: string, options: HoldOptions = {}) {
    this.client = client;
    this.path = path;
    this.options = options;
    this.entries = childPath(path, "entries");
    this.taken = childPath(path, "taken");
  }

  /**
   * Waits for a connection where there is none. After an error with `outcome` "unknown" (CONNECTION_LOSS, or given up
   * at the last moment) the entry may be there.
   *
   * @throws REQUEST_TIMEOUT; ABORTED; SESSION_EXPIRED
   */
  put(data: NodeContent, options: PutOptions = {}): Promise<void> {
    return putEntry(this.client, this.entries, data, options);
  }

  /** The first entry that nobody has, waiting for one. @throws REQUEST_TIMEOUT; ABORTED; SESSION_EXPIRED */
  async take(options: WaitOptions = {}): Promise<WorkItem> {
    return await patiently("take", this.path, options, async (patience) => {
      for (;;) {
        // The watch that has told nothing goes with every look: it would be kept beside the next one's.
        const item = await watching(patience, (signal) => this.look(patience, signal));
        if (item !== undefined) return item;
      }
    });
  }

  /** Takes the first entry that is free; where there is none, it returns when that may have changed. */
  private async look(patience: Patience, signal: AbortSignal): Promise<WorkItem | undefined> {
    const taken = await listEntries(this.client, this.taken, signal);
    const entries = await listEntries(this.client, this.entries, signal);
    const isTaken = new Set(taken.names);
    for (const name of entries.names) {
      if (isTaken.has(name) || signal.aborted) continue;
      const item = await patience.bound(this.takeEntry(name), (late) => late?.putBack());
      if (item !== undefined) return item;
    }
    await Promise.race([taken.changed, entries.changed]);
    return undefined;
  }

  private async takeEntry(name: string): Promise<WorkItem | undefined> {
    const { client } = this;
    const entry = childPath(this.entries, name);
    const path = childPath(this.taken, name);
    // Of its own for every claim: two takers of this client must not take the same claim for theirs.
    const mark = randomUUID().replaceAll("-", "");
    for (;;) {
      try {
        const { data, stat } = await client.getDataWithStat(entry, PATIENT);
        const at = { path: entry, version: stat.version };
        const isRaised = (data?.length ?? 0) <= RAISED_BYTES_MAX;
        const steps = [
          { op: "create", path, data: mark, mode: "ephemeral" },
          { op: "setData", path, data: mark },
          isRaised ? ({ op: "setData", data, ...at } as const) : ({ op: "check", ...at } as const),
        ] as const;
        const node = await claim(client, path, { data: mark }, async () => (await client.multi(steps, PATIENT))[1]);
        if (node === undefined) return undefined;
        const hold = new Hold(client, node, this.options);
        const version = stat.version + Number(isRaised);
        return { data, hold, consume: () => this.consume(entry, version, hold), putBack: () => hold.release() };
      } catch (error) {
        if (hasCode(error, "NO_NODE")) return undefined; // consumed between the list and now, or the lists are gone
        if (!hasCode(error, "BAD_VERSION")) throw error; // taken and put back between the two
      }
    }
  }

  /**
   * The entry goes while the claim stands, so that nobody takes it in between; repeating that is safe. Another's claim
   * of the same name, made after somebody had deleted this one, is not taken for it: it has raised the entry's
   * version, as every claim made here of an entry that is not long does, or it is of version 0, as kazoo's claims
   * are and none made here is.
   */
  private async consume(entry: string, version: number, hold: Hold): Promise<void> {
    const steps = [
      { op: "check", path: hold.path, version: CLAIM_VERSION },
      { op: "delete", path: entry, version },
    ] as const;
    let inDoubt = false;
    const tryOnce = async (): Promise<boolean> => {
      hold.throwIfEnded();
      try {
        await this.client.multi(steps, PATIENT);
        return true;
      } catch (error) {
        if (inDoubt && hasCode(error, "NO_NODE") && error.path === entry) return true; // by the try whose reply was lost
        if (!hasCode(error, "CONNECTION_LOSS")) throw error;
        inDoubt ||= error.outcome === "unknown";
        return false;
      }
    };
    try {
      while (!(await tryOnce()));
    } catch (error) {
      if (!inDoubt || !(error instanceof ZkError)) throw error;
      const { code } = error;
      throw new ZkError({ code, outcome: "unknown", operation: "consume", path: entry, cause: error });
    }
    await hold.release();
  }
}

/** That of a claim made here: created, and written once. */
const CLAIM_VERSION = 1;
/** Longer entries are not written again for it. */
const RAISED_BYTES_MAX = 64 * 1024;
