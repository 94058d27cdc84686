import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { NodeContent } from "../operations/create-options.js";
import { childPath } from "../operations/paths.js";
import type { LineLayout } from "./line-lock.js";
import { PATIENT, patiently, type WaitOptions } from "./patience.js";
import { listEntries, type PutOptions, putEntry } from "./queue-entries.js";

/** What a `Queue` takes. */
export interface QueueOptions {
  /** Whose names to use: Curator's queue has no priorities, and does not see kazoo's entries. @default "kazoo" */
  readonly layout?: LineLayout | undefined;
}

/**
 * A queue with priorities whose entries are gone when they are taken: each is taken at most once. Whoever
 * dies with an entry in hand has lost it; see `WorkQueue` where that matters. The same as kazoo's `Queue`, and
 * as Curator's `SimpleDistributedQueue` by `layout: "curator"`.
 */
export class Queue {
  readonly path: string;
  private readonly client: Client;
  private readonly layout: LineLayout | undefined;

  constructor(client: Client, path: string, { layout }: QueueOptions = {}) {
    this.client = client;
    this.path = path;
    this.layout = layout;
  }

  /**
   * Waits for a connection where there is none. After an error with `outcome` "unknown" (CONNECTION_LOSS, or given up
   * at the last moment) the entry may be there.
   *
   * @throws REQUEST_TIMEOUT; ABORTED; SESSION_EXPIRED
   */
  put(data: NodeContent, options: PutOptions = {}): Promise<void> {
    return putEntry(this.client, this.path, data, options, this.layout);
  }

  /**
   * Takes the first entry, waiting for one. After an error with `outcome` "unknown" (CONNECTION_LOSS, or given
   * up at the last moment) an entry may be gone that nobody has.
   *
   * @throws REQUEST_TIMEOUT; ABORTED; SESSION_EXPIRED
   */
  async take(options: WaitOptions = {}): Promise<Buffer | null> {
    return await patiently("take", this.path, options, async (patience) => {
      const { signal } = patience;
      for (;;) {
        const { names, changed } = await listEntries(this.client, this.path, signal);
        for (const name of names) {
          if (signal.aborted) break;
          const taken = await this.takeEntry(name, signal);
          if (taken !== undefined) return taken.data;
        }
        await changed; // also right after a race for the last one: its deletion is a change
      }
    });
  }

  private async takeEntry(name: string, signal: AbortSignal): Promise<{ data: Buffer | null } | undefined> {
    const path = childPath(this.path, name);
    try {
      const data = await this.client.getData(path, { ...PATIENT, signal });
      await this.client.delete(path, { ...PATIENT, signal }); // who deletes it has it
      return { data };
    } catch (error) {
      if (hasCode(error, "NO_NODE")) return undefined;
      throw error;
    }
  }
}
