import { expect, test } from "vitest";
import { GoldenDirectory } from "./golden-directory.js";
import { watchkeeper, watchkeeperUnder } from "./run-program.js";

/** A module hook that refuses what the tools have no use for. */
const REFUSING = `
export async function resolve(name, context, next) {
  if (/^(@watchkeeper\\/client|pino|zod)/.test(name)) throw new Error("refused: " + name);
  return await next(name, context);
}`;

const hooks = [
  "--import",
  `data:text/javascript,${encodeURIComponent(
    `import { register } from "node:module"; register("data:text/javascript," + encodeURIComponent(${JSON.stringify(REFUSING)}));`,
  )}`,
];

test("the tools for files load neither the client nor what a server needs", async () => {
  const { root } = new GoldenDirectory("fresh");
  expect(await watchkeeperUnder(hooks, "log", "check", root)).toMatchObject({ code: 0, stderr: "" });
  expect(await watchkeeperUnder(hooks, "snapshot", "check", root)).toMatchObject({ code: 0, stderr: "" });
  expect((await watchkeeperUnder(hooks, "ls", "/")).stderr).toContain("refused: @watchkeeper/client");
});

test.each([
  [
    ["help", "log"],
    ["print", "check", "cut"],
  ],
  [
    ["help", "snapshot"],
    ["print", "check", "summary"],
  ],
  [
    ["help", "log", "check"],
    ["Verdicts:", "$ watchkeeper log check /var/lib/zookeeper", "--snapshots"],
  ],
  [
    ["log", "cut", "--help"],
    ["--in-place", "Stop the server first"],
  ],
])("%j teaches what there is", async (args, texts) => {
  const { code, stdout } = await watchkeeper(...args);
  expect(code).toBe(0);
  for (const text of texts) expect(stdout).toContain(text);
});

test("a raised jute.maxbuffer can be given", async () => {
  const directory = new GoldenDirectory("gz");
  const small = await watchkeeper("snapshot", "check", directory.path("snapshot.13.gz"), "--jute-maxbuffer", "50");
  expect(small.code).toBe(1);
  expect(small.stdout).toContain("data of length 200");
  const large = await watchkeeper("snapshot", "check", directory.path("snapshot.13.gz"), "--jute-maxbuffer", "4194304");
  expect(large.code).toBe(0);
});
