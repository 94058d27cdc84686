import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { NodeContent } from "../operations/create-options.js";
import { childPath } from "../operations/paths.js";
import { PATIENT, Patience, type WaitOptions } from "./patience.js";
import { listEntries, type PutOptions, putEntry } from "./queue-entries.js";

/**
 * A queue with priorities whose entries are gone when they are taken: each is taken at most once. Whoever
 * dies with an entry in hand has lost it; see `WorkQueue` where that matters. The same as kazoo's `Queue`.
 */
export class Queue {
  readonly path: string;
  private readonly client: Client;

  constructor(client: Client, path: string) {
    this.client = client;
    this.path = path;
  }

  /** After CONNECTION_LOSS with `outcome` "unknown" the entry may be there. */
  put(data: NodeContent, options: PutOptions = {}): Promise<void> {
    return putEntry(this.client, this.path, data, options);
  }

  /**
   * Takes the first entry, waiting for one. After CONNECTION_LOSS with `outcome` "unknown" an entry may be
   * gone that nobody has.
   *
   * @throws REQUEST_TIMEOUT; ABORTED; SESSION_EXPIRED
   */
  async take(options: WaitOptions = {}): Promise<Buffer | null> {
    const patience = new Patience("take", this.path, options);
    try {
      for (;;) {
        const { names, changed } = await listEntries(this.client, this.path, patience.signal);
        for (const name of names) {
          const taken = await this.takeEntry(name);
          if (taken !== undefined) return taken.data;
          if (patience.signal.aborted) break;
        }
        await changed; // also right after a race for the last one: its deletion is a change
      }
    } catch (error) {
      throw patience.errorOf(error);
    }
  }

  private async takeEntry(name: string): Promise<{ data: Buffer | null } | undefined> {
    const path = childPath(this.path, name);
    try {
      const data = await this.client.getData(path, PATIENT);
      await this.client.delete(path, PATIENT); // who deletes it has it
      return { data };
    } catch (error) {
      if (hasCode(error, "NO_NODE")) return undefined;
      throw error;
    }
  }
}
