import { createHash, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "../client.js";
import { badArguments } from "../errors.js";
import { childPath } from "../operations/paths.js";
import { pathProblem } from "../session/index.js";
import type { ChildrenCache } from "../streams/cache/index.js";
import { Group } from "./group.js";
import type { Hold, HoldOptions } from "./hold.js";
import { LineLock } from "./line-lock.js";
import { mutexRules } from "./mutex.js";
import type { PersistentEphemeral } from "./persistent-ephemeral.js";
import { tell } from "./told.js";

/** A part that this process has. */
export interface Part {
  readonly name: string;
  readonly hold: Hold;
  /** Aborted when to stop: the part is another's turn now (finish and return), or the hold has ended (stop at once). */
  readonly signal: AbortSignal;
}

/** What a `Partitioner` takes. */
export interface PartitionerOptions extends HoldOptions {
  /** The member's name. @default a random one */
  readonly id?: string | undefined;
  /** Told when the work on a part fails; it is taken up again a second later. What it throws becomes a process warning. */
  readonly onError?: ((error: unknown, part: string) => unknown) | undefined;
}

/**
 * Divides named parts among the members of a group, each part worked on by one member at a time.
 *
 * Which part is whose, every member works out for itself from the list of members: the member whose name
 * and the part's together have the highest hash, so that a member that comes or goes moves its own parts
 * and no others. Members may see the list at different times and disagree for a while; that never makes
 * two of them work on one part, since each part has a lock. A part changes hands when the work of the
 * member that has it has settled. Work that settles by itself is done until the part changes hands.
 */
export class Partitioner implements AsyncDisposable {
  /** Resolves when it was closed; rejects with what ended it otherwise, such as SESSION_EXPIRED. */
  readonly closed: Promise<void>;
  private readonly path: string;
  private readonly parts: ReadonlyMap<string, LineLock>;
  private readonly work: (part: Part) => Promise<unknown>;
  private readonly options: PartitionerOptions;
  private readonly id: string;
  private readonly membership: PersistentEphemeral;
  private readonly members: ChildrenCache;
  /** Parts that are this member's, being waited for or worked on. */
  private readonly mine = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();
  private isClosed = false;

  constructor(
    client: Client,
    path: string,
    parts: readonly string[],
    work: (part: Part) => Promise<unknown>,
    options: PartitionerOptions = {},
  ) {
    this.path = path;
    this.work = work;
    this.options = options;
    this.id = options.id ?? randomUUID();
    const lockOf = (name: string): LineLock => {
      const at = childPath(childPath(path, "parts"), encodeURIComponent(name));
      const problem = pathProblem(at);
      if (problem !== undefined) throw badArguments("divide", at, problem);
      return new LineLock(client, at, mutexRules(), { ...options, id: this.id });
    };
    this.parts = new Map(parts.map((name) => [name, lockOf(name)]));
    const group = new Group(client, childPath(path, "members"));
    this.membership = group.join(this.id);
    this.members = group.members({ onChange: () => this.divide() });
    this.closed = this.membership.closed;
    this.closed.catch(() => this.stop());
  }

  /** Resolves when this process is a member and knows the others. */
  get ready(): Promise<void> {
    return Promise.all([this.membership.ready, this.members.ready]).then(() => undefined);
  }

  /** The names of the parts that are this member's now, whether its work on them has begun or not. */
  get assigned(): string[] {
    return [...this.mine.keys()].sort();
  }

  /** Stops the work, gives the parts back and leaves; resolves when the servers know. Can be called again. */
  async close(): Promise<void> {
    await this.stop();
    await this.membership.close();
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async stop(): Promise<void> {
    this.isClosed = true;
    const mine = [...this.mine.values()];
    for (const { stop } of mine) stop.abort();
    await this.members.close();
    await Promise.all(mine.map(({ done }) => done));
  }

  private divide(): void {
    if (this.isClosed) return;
    const { names } = this.members;
    for (const [name, lock] of this.parts) {
      const isMine = ownerOf(name, names) === this.id;
      const mine = this.mine.get(name);
      if (isMine && mine === undefined) this.begin(name, lock);
      else if (!isMine) mine?.stop.abort();
    }
  }

  private begin(name: string, lock: LineLock): void {
    const stop = new AbortController();
    const done = this.workOn(name, lock, stop.signal).finally(() => {
      this.mine.delete(name);
      this.divide(); // it may have become this member's again meanwhile
    });
    this.mine.set(name, { stop, done });
  }

  private async workOn(name: string, lock: LineLock, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        const hold = await lock.acquire({ signal: stop });
        try {
          await this.work({ name, hold, signal: AbortSignal.any([stop, hold.signal]) });
        } finally {
          await hold.release();
        }
        if (hold.ended === "released") await untilAborted(stop); // its work is done, for this turn
      } catch (error) {
        if (stop.aborted) return;
        tell(`onError of the partitioner ${this.path}`, () => this.options.onError?.(error, name));
        await pause(RETRY_PAUSE_MS, undefined, { signal: stop, ref: false }).catch(() => undefined);
      }
    }
  }
}

/** Work that fails at once must not keep the servers busy. */
const RETRY_PAUSE_MS = 1000;

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** The member for a part: highest random weight. */
function ownerOf(part: string, members: readonly string[]): string | undefined {
  let owner: string | undefined;
  let highest = "";
  for (const member of members) {
    const weight = createHash("sha256").update(`${member}\n${part}`).digest("hex");
    if (weight <= highest) continue;
    highest = weight;
    owner = member;
  }
  return owner;
}
