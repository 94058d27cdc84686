import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { NodeContent } from "../operations/create-options.js";
import { type CacheOptions, NodeCache } from "../streams/cache/index.js";
import { ensureNode, PATIENT } from "./patience.js";

/** A value as it stands, with the version by which it can be replaced. */
export interface Versioned<T> {
  readonly value: T;
  readonly version: number;
}

/**
 * One value that all see and any may replace, without losing another's change. Held in one node, as
 * Curator's `SharedValue` does. A change whose reply is lost rejects with `outcome` "unknown".
 */
export class SharedValue {
  readonly path: string;
  private readonly client: Client;
  private readonly initial: NodeContent;

  /** `initial` is written when the value is first asked for and there is none. */
  constructor(client: Client, path: string, initial: NodeContent = null) {
    this.client = client;
    this.path = path;
    this.initial = initial;
  }

  /** The value as the connected server has it, which may be behind; the initial one where there is none yet, which is written then. */
  async get(): Promise<Versioned<Buffer | null>> {
    for (;;) {
      try {
        const { data, stat } = await this.client.getDataWithStat(this.path, PATIENT);
        return { value: data, version: stat.version };
      } catch (error) {
        if (!hasCode(error, "NO_NODE")) throw error;
      }
      await ensureNode(this.client, this.path, this.initial);
    }
  }

  /** Whoever wrote before, it is replaced. Returns the new version. */
  async set(value: NodeContent): Promise<number> {
    await this.get();
    return (await this.client.setData(this.path, value, PATIENT)).version;
  }

  /** Replaces it only if nobody has since that version was read; false if somebody has. */
  async replace(version: number, value: NodeContent): Promise<boolean> {
    try {
      await this.client.setData(this.path, value, { ...PATIENT, version });
      return true;
    } catch (error) {
      if (hasCode(error, "BAD_VERSION")) return false;
      throw error;
    }
  }

  /** Makes the new value of the old one, again where others were quicker; returns what was written. */
  async update<T extends NodeContent>(change: (value: Buffer | null) => T): Promise<T> {
    for (;;) {
      const { value, version } = await this.get();
      const next = change(value);
      if (await this.replace(version, next)) return next;
    }
  }

  /** A view that follows it. */
  follow(options?: CacheOptions): NodeCache {
    return new NodeCache(this.client, this.path, options);
  }
}
