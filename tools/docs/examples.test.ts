import { beforeAll, expect, test } from "vitest";
import { compile, documentExamples, play } from "./examples/examples.js";

/**
 * Whatever a document shows can be copied: every block of TypeScript or JavaScript is compiled against the packages as
 * their users see them, and those of the documents are run, by Node itself, against servers in its process. What an
 * example takes for granted, and what happens while it runs, is in `examples/stage`.
 */
let complaints = "";
let played: Record<string, string | null> = {};

beforeAll(async () => {
  complaints = await compile();
  if (complaints === "") played = await play();
}, 90_000);

test("every example of the documents and the doc comments compiles", () => {
  expect(complaints).toBe("");
});

test.each(documentExamples.map(({ id }) => id))("the example runs: %s", (id) => {
  expect(played[id]).toBeNull();
});
