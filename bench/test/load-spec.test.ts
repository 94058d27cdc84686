import { expect, test } from "vitest";
import { commandLine } from "../src/commands/command.js";
import { parseLoad } from "../src/load/load-spec.js";
import { sharesOf } from "../src/load/run-load.js";
import { UsageError } from "../src/usage-error.js";

test("a load is read as a person writes it", () => {
  expect(parseLoad("mixed -c 50 -p 10 -r 80", 1, 4)).toMatchObject({
    workload: "mixed",
    connections: 50,
    depth: 10,
    readPercent: 80,
    keys: 1000,
    warmupSeconds: 1,
    seconds: 4,
  });
});

test.each(["", "read -c 5", "get -c 0", "get -c many", "get -x 1", "get set"])(
  "%j is refused as wrong usage",
  (text) => {
    expect(() => parseLoad(text, 1, 1)).toThrow(UsageError);
  },
);

test("connections are shared out among workers without a gap", () => {
  expect(sharesOf(10, 3)).toEqual([
    { first: 0, count: 3 },
    { first: 3, count: 3 },
    { first: 6, count: 4 },
  ]);
});

test("the command in a result leaves out where the result was written", () => {
  expect(commandLine("curves", ["--max", "10", "--out", "here"])).toBe("npm run bench -- curves --max 10");
  expect(commandLine("", ["--out=here"])).toBe("npm run bench");
  expect(commandLine("", ["--loads", "get -c 50;set"])).toBe("npm run bench -- --loads 'get -c 50;set'");
});
