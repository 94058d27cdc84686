import type { Hold } from "../../src/recipes/index.js";

/** Something that must never be used by an older holder after a newer one, and says so if it was. */
export class GuardedResource {
  uses = 0;
  /** Older tokens it refused, from holders that took themselves to be certain of their hold. */
  readonly violations: string[] = [];
  private newest = 0n;
  private user: Hold | undefined;

  /** What a holder does with it: for some turns of the event loop it takes itself to be alone. */
  async use(hold: Hold, turns: number): Promise<void> {
    for (let i = 0; i < turns && hold.isHeld; i++) {
      this.touch(hold);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.user === hold) this.user = undefined;
  }

  private touch(hold: Hold): void {
    this.uses++;
    if (this.user !== undefined && this.user !== hold && this.user.isHeld) this.violations.push("two at once");
    if (hold.token < this.newest) this.violations.push(`${hold.token} after ${this.newest}`);
    else this.newest = hold.token;
    this.user = hold;
  }
}
