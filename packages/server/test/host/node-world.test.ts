import { expect, test } from "vitest";
import { nodeScheduler } from "../../src/host/node-world.js";

test.each([2 ** 31, 4_000_000_000, 1e15])(
  "a delay of %d ms, longer than any timer of Node's, is not over at once",
  async (delayMs) => {
    let isOver = false;
    const long = nodeScheduler.after(delayMs, () => {
      isOver = true;
    });
    // One that would be over at once comes before this one.
    await new Promise<void>((resolve) => nodeScheduler.after(20, resolve));
    long.cancel();
    expect(isOver).toBe(false);
  },
);
