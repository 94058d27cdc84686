import { expect, test } from "vitest";
import { watchkeeper } from "./run-program.js";

/** Nothing listens on port 1. */
const NOWHERE = "127.0.0.1:1";

test("without a command the program tells what there is, and the exit codes", async () => {
  const { code, stdout } = await watchkeeper();
  expect(code).toBe(0);
  for (const text of ["serve", "watch", "Examples:", "Exit codes:"]) expect(stdout).toContain(text);
});

test("an unknown command is a usage error that names the nearest known one", async () => {
  const { code, stderr } = await watchkeeper("lss");
  expect(code).toBe(2);
  expect(stderr).toContain("watchkeeper: unknown command 'lss'");
  expect(stderr).toContain("Did you mean ls?");
});

test("help of an unknown command is the same error, not the overview", async () => {
  const { code, stdout, stderr } = await watchkeeper("help", "lss");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain("watchkeeper: unknown command 'lss'");
});

test("a credential that cannot be read is not printed", async () => {
  const { code, stderr } = await watchkeeper("ls", "--auth", "hunter2");
  expect(code).toBe(2);
  expect(stderr).toContain("--auth: scheme:credential expected");
  expect(stderr).not.toContain("hunter2");
});

test("no server is one sentence with advice and an exit code of its own, no stack trace", async () => {
  const { code, stderr } = await watchkeeper("ls", "/", "--server", NOWHERE);
  expect(code).toBe(8);
  expect(stderr).toBe(
    `watchkeeper: connect ${NOWHERE}: there is no connection to a server (${NOWHERE}: connection refused)\n` +
      "  is a server running there? --server names another\n",
  );
});

test("options may stand before the command", async () => {
  expect((await watchkeeper("--server", NOWHERE, "ls", "/")).code).toBe(8);
});

test("a command's --version is the node's, not the program's", async () => {
  expect((await watchkeeper("set", "/a", "x", "--version", "3", "--server", NOWHERE)).code).toBe(8);
});

test.each([
  ["a missing argument", ["get"], "missing required argument 'path'"],
  ["an unknown option", ["ls", "--bad"], "unknown option '--bad'"],
  ["a timeout that is no number", ["ls", "--timeout", "soon"], 'watchkeeper: --timeout "soon": seconds from'],
  ["a list that is none", ["acl", "set", "/a", "x"], 'watchkeeper: acl "x": "x": scheme:id:perms expected'],
  ["a server that is none", ["ls", "--server", "a:b:c"], "host, host:port or [IPv6 address]:port expected"],
])("%s is a usage error", async (_, args, reason) => {
  const { code, stderr } = await watchkeeper(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(reason);
});

test("help of a command teaches by example", async () => {
  const { code, stdout } = await watchkeeper("help", "watch");
  expect(code).toBe(0);
  expect(stdout).toContain("$ watchkeeper watch /config");
});
