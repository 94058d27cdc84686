import type { Client } from "../client.js";
import { ZkError } from "../errors.js";
import type { Hold } from "./hold.js";
import { roomFor } from "./line.js";
import { LineLock, type LockOptions } from "./line-lock.js";
import type { Participant } from "./lock.js";
import { curatorMark } from "./owned-node.js";
import { isLastError, patiently, type WaitOptions } from "./patience.js";
import { tell } from "./told.js";

/** What a `LeaderLatch` takes. */
export interface LeaderLatchOptions extends Omit<LockOptions, "layout"> {
  /** Told when leadership begins, with its term, and when it ends, with undefined. What it throws becomes a process warning. */
  readonly onChange?: ((term: Hold | undefined) => unknown) | undefined;
}

interface Waiter {
  resolve(term: Hold): void;
  reject(error: unknown): void;
}

const PATTERN = /(latch-)(-?\d{10,})$/;

/**
 * Leadership that lasts until it is given up: a candidate from its making on, until `close`. Who loses
 * leadership without giving it up is a candidate again at once, at the end of the line.
 *
 * Compatible with Curator's `LeaderLatch`. It ends with its session, unless the client renews lost ones.
 */
export class LeaderLatch implements AsyncDisposable {
  /** Resolves when the latch was closed; rejects with what ended it otherwise, such as SESSION_EXPIRED. */
  readonly closed: Promise<void>;
  private readonly path: string;
  private readonly lock: LineLock;
  private readonly onChange: (term: Hold | undefined) => unknown;
  private readonly closing = new AbortController();
  private current: Hold | undefined;
  private waiters: Waiter[] = [];

  constructor(client: Client, path: string, options: LeaderLatchOptions = {}) {
    this.path = path;
    this.onChange = options.onChange ?? (() => undefined);
    const rules = { mark: curatorMark, name: "latch-", pattern: PATTERN, blockerOf: roomFor(1) };
    this.lock = new LineLock(client, path, rules, options);
    this.closed = this.run(client);
    this.closed.catch(() => undefined);
  }

  /** The present term, or undefined while another leads. */
  get term(): Hold | undefined {
    return this.current?.isHeld ? this.current : undefined;
  }

  /** Whether this process leads at this very moment, also by the clock. */
  get isLeader(): boolean {
    return this.term !== undefined;
  }

  /** Resolves with the term when this process leads. @throws REQUEST_TIMEOUT; ABORTED; CLOSING the latch was closed; SESSION_EXPIRED */
  async untilLeader(options: WaitOptions = {}): Promise<Hold> {
    if (this.term !== undefined) return this.term;
    this.closing.signal.throwIfAborted();
    let waiter: Waiter | undefined;
    const told = new Promise<Hold>((resolve, reject) => {
      waiter = { resolve, reject };
      this.waiters.push(waiter);
    });
    try {
      return await patiently("untilLeader", this.path, options, (patience) => patience.bound(told));
    } finally {
      this.waiters = this.waiters.filter((one) => one !== waiter); // it may have given up
    }
  }

  /** The leader first, then the candidates in the order in which they will lead. */
  participants(): Promise<Participant[]> {
    return this.lock.participants();
  }

  /** Steps down, or leaves the line; resolves when the servers know. Can be called again. */
  async close(): Promise<void> {
    this.closing.abort(this.closedError());
    await this.closed.catch(() => undefined);
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async run(client: Client): Promise<void> {
    const { signal } = this.closing;
    try {
      while (!signal.aborted) {
        try {
          await this.lead(await this.lock.acquire({ signal }));
        } catch (error) {
          if (signal.aborted) return;
          if (isLastError(client, error)) throw error;
        }
      }
    } catch (error) {
      this.closing.abort(error);
      throw error;
    } finally {
      for (const { reject } of this.waiters.splice(0)) reject(signal.reason);
    }
  }

  private async lead(term: Hold): Promise<void> {
    this.current = term;
    for (const { resolve } of this.waiters.splice(0)) resolve(term);
    this.tell(term);
    const { signal } = this.closing;
    if (!signal.aborted && term.ended === undefined) {
      await new Promise<unknown>((over) => {
        term.signal.addEventListener("abort", over, { once: true });
        signal.addEventListener("abort", over, { signal: term.signal });
      });
    }
    this.current = undefined;
    this.tell(undefined);
    await term.release();
  }

  private tell(term: Hold | undefined): void {
    tell(`onChange of the leader latch ${this.path}`, () => this.onChange(term));
  }

  private closedError(): ZkError {
    return new ZkError({ code: "CLOSING", outcome: "not-applied", operation: "latch", path: this.path });
  }
}
