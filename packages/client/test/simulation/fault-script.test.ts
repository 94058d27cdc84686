import { expect, test } from "vitest";
import { FaultScript } from "./fault-script.js";

const SCRIPTS = 10_000;

test(`${SCRIPTS} random fault scripts: no call hangs, none is left unsettled, no event comes early, no session is lost in vain`, () => {
  const found: string[] = [];
  const seen = new Set<string>();
  for (let seed = 1; seed <= SCRIPTS && found.length < 3; seed++) {
    const script = new FaultScript(seed);
    script.run();
    for (const state of script.states) seen.add(state);
    if (script.violations.length > 0) found.push(`seed ${seed}: ${script.violations.join("; ")}`);
  }
  expect(found).toEqual([]);
  // The scripts go to all the places they are about.
  expect([...seen].sort()).toEqual(["closed", "connected", "lost", "presumed-lost", "suspended"]);
});

test("the same seed tells the same story", () => {
  const stories = [1, 2].map(() => {
    const script = new FaultScript(42);
    script.run();
    return script.states;
  });
  expect(stories[0]).toEqual(stories[1]);
  expect(stories[0]!.length).toBeGreaterThan(2);
});
