import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import { ensureNode, PATIENT, patiently, type WaitOptions } from "./patience.js";
import { untilGone } from "./until-node.js";

/**
 * Holds everybody back while it is up. It is a persistent node: it stays up until somebody takes it down,
 * whoever put it there. The same as Curator's `DistributedBarrier` and kazoo's `Barrier`.
 */
export class Barrier {
  readonly path: string;
  private readonly client: Client;

  constructor(client: Client, path: string) {
    this.client = client;
    this.path = path;
  }

  /** Puts it up, if it is not. @throws REQUEST_TIMEOUT, ABORTED given up: by its `outcome` it may be up all the same */
  raise(options: WaitOptions = {}): Promise<void> {
    return patiently("raise", this.path, options, ({ signal }) => ensureNode(this.client, this.path, { signal }));
  }

  /** Takes it down, if it is up: everybody goes on. @throws as `raise`: it may be down all the same */
  lower(options: WaitOptions = {}): Promise<void> {
    return patiently("lower", this.path, options, async ({ signal }) => {
      for (;;) {
        try {
          await this.client.delete(this.path, { ...PATIENT, signal });
          return;
        } catch (error) {
          if (hasCode(error, "NO_NODE")) return;
          if (!hasCode(error, "CONNECTION_LOSS")) throw error;
        }
      }
    });
  }

  /** Waits until it is down. @throws REQUEST_TIMEOUT; ABORTED; SESSION_EXPIRED */
  async wait(options: WaitOptions = {}): Promise<void> {
    await patiently("wait", this.path, options, (patience) => untilGone(this.client, this.path, patience));
  }
}
