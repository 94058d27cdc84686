/** What a holder shows of its hold. */
export interface Held {
  readonly path: string;
  readonly token: bigint;
  readonly isHeld: boolean;
}

/** How a resource may be used: by one alone, by readers together, by so many at a time. */
export type Usage = "alone" | "shared" | { readonly atOnceMax: number };

/** Two holders that took themselves to hold the resource at the same time, or in the wrong order. */
export interface Conflict {
  readonly what: "two at once" | "older token after a newer one";
  readonly older: Held;
  readonly newer: Held;
}

/**
 * Something that only holders may use. It knows every hold it was ever used by, looks at what their holders
 * believe at the moment of each use, and reports what should not be; whether that may be is for the test to
 * say. What it is guarded by counts as valid only with a token that is not older than the newest it has seen.
 */
export class GuardedResource {
  uses = 0;
  /** How many holds it was used by. */
  holds = 0;
  private newest: Held | undefined;
  private newestAlone: Held | undefined;
  private readonly users = new Map<Held, Usage>();
  private readonly onConflict: (conflict: Conflict) => void;

  constructor(onConflict: (conflict: Conflict) => void) {
    this.onConflict = onConflict;
  }

  /** What a holder does with it: for some turns of the event loop it takes itself to be entitled to. */
  async use(hold: Held, usage: Usage, turns: number): Promise<void> {
    this.holds++;
    for (let i = 0; i < turns && hold.isHeld; i++) {
      this.touch(hold, usage);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.users.delete(hold);
  }

  private touch(hold: Held, usage: Usage): void {
    this.uses++;
    const others = [...this.users].filter(([other]) => other !== hold && other.isHeld);
    const rivals = others.filter(([, theirs]) => usage !== "shared" || theirs !== "shared").map(([other]) => other);
    const rivalsMax = typeof usage === "object" ? usage.atOnceMax - 1 : 0;
    if (rivals.length > rivalsMax) this.report("two at once", hold, rivals[0]!);
    const predecessor = usage === "shared" ? this.newestAlone : this.newest;
    if (typeof usage === "string" && predecessor !== undefined && hold.token < predecessor.token) {
      this.report("older token after a newer one", hold, predecessor);
    }
    if (this.newest === undefined || hold.token > this.newest.token) this.newest = hold;
    if (usage === "alone" && (this.newestAlone === undefined || hold.token > this.newestAlone.token)) {
      this.newestAlone = hold;
    }
    this.users.set(hold, usage);
  }

  private report(what: Conflict["what"], one: Held, other: Held): void {
    const [older, newer] = one.token < other.token ? [one, other] : [other, one];
    this.onConflict({ what, older, newer });
  }
}
