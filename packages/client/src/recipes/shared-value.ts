import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import type { NodeContent } from "../operations/create-options.js";
import { type CacheOptions, NodeCache } from "../streams/cache/index.js";
import { ensureNode, PATIENT, patiently, type WaitOptions } from "./patience.js";

/** A value as it stands, with the version by which it can be replaced. */
export interface Versioned<T> {
  readonly value: T;
  readonly version: number;
}

/**
 * One value that all see and any may replace, without losing another's change. Held in one node, as
 * Curator's `SharedValue` does. Without a connection every call waits for one, within its `signal` and
 * `timeoutMs`. A change whose reply is lost, or not waited for, rejects with `outcome` "unknown".
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

  /**
   * The value as the connected server has it, which may be behind; the initial one where there is none yet, which
   * is written then.
   */
  get(options: WaitOptions = {}): Promise<Versioned<Buffer | null>> {
    return patiently("get", this.path, options, ({ signal }) => this.read(signal));
  }

  /** Whoever wrote before, it is replaced. Returns the new version. */
  set(value: NodeContent, options: WaitOptions = {}): Promise<number> {
    return patiently("set", this.path, options, async ({ signal }) => {
      await this.read(signal);
      return (await this.client.setData(this.path, value, { ...PATIENT, signal })).version;
    });
  }

  /** Replaces it only if nobody has since that version was read; false if somebody has. */
  replace(version: number, value: NodeContent, options: WaitOptions = {}): Promise<boolean> {
    return patiently("replace", this.path, options, ({ signal }) => this.exchange(version, value, signal));
  }

  /** Makes the new value of the old one, again where others were quicker; returns what was written. */
  update<T extends NodeContent>(change: (value: Buffer | null) => T, options: WaitOptions = {}): Promise<T> {
    return patiently("update", this.path, options, async ({ signal }) => {
      for (;;) {
        const { value, version } = await this.read(signal);
        const next = change(value);
        if (await this.exchange(version, next, signal)) return next;
      }
    });
  }

  /** A view that follows it. */
  follow(options?: CacheOptions): NodeCache {
    return new NodeCache(this.client, this.path, options);
  }

  private async read(signal: AbortSignal): Promise<Versioned<Buffer | null>> {
    for (;;) {
      try {
        const { data, stat } = await this.client.getDataWithStat(this.path, { ...PATIENT, signal });
        return { value: data, version: stat.version };
      } catch (error) {
        if (!hasCode(error, "NO_NODE")) throw error;
      }
      await ensureNode(this.client, this.path, { data: this.initial, signal });
    }
  }

  private async exchange(version: number, value: NodeContent, signal: AbortSignal): Promise<boolean> {
    try {
      await this.client.setData(this.path, value, { ...PATIENT, signal, version });
      return true;
    } catch (error) {
      if (hasCode(error, "BAD_VERSION")) return false;
      throw error;
    }
  }
}
