import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Client, connect } from "@watchkeeper/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer } from "watchkeeper/testing";
import { until } from "../../support/until.js";
import { readmeProgram } from "./readme-program.js";

/**
 * Programs written for node-zookeeper-client run unchanged on the compat layer: its own examples, and one that makes
 * every call its README names. Each runs twice, on the package itself and on ours, against a server of its own each
 * time, and has to print the same lines. The package is installed for the test and nothing of it is kept.
 */
const PACKAGE = "node-zookeeper-client@1.1.3";
const ours = fileURLToPath(new URL("../../../packages/client", import.meta.url));

let folder: string;
/** Where the package stands by which `require("../index.js")` and `require("node-zookeeper-client")` are answered. */
const packages = { original: "", compat: "" };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "watchkeeper-compat-"));
  await writeFile(join(folder, "package.json"), "{}");
  await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE], {
    cwd: folder,
  });
  packages.original = join(folder, "node_modules/node-zookeeper-client");
  packages.compat = join(folder, "compat/node_modules/node-zookeeper-client");
  await cp(join(packages.original, "examples"), join(packages.compat, "examples"), { recursive: true });
  await writeFile(join(packages.compat, "index.js"), 'module.exports = require("@watchkeeper/client/compat");\n');
  await mkdir(join(folder, "compat/node_modules/@watchkeeper"));
  await symlink(ours, join(folder, "compat/node_modules/@watchkeeper/client"));
  for (const each of Object.values(packages)) await writeFile(join(each, "../../readme.js"), readmeProgram);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What has to be there before the example runs, and what happens while it does: it ends by itself unless told. */
interface Scene {
  readonly example: string;
  readonly argv: readonly string[];
  readonly before?: (client: Client) => Promise<unknown>;
  /** For one that watches: what to do each time it has printed one more line. It is stopped after the last. */
  readonly changes?: readonly ((client: Client) => Promise<unknown>)[];
  readonly lines: readonly string[];
  /** What the package itself prints, where that is not what its README says. */
  readonly original?: readonly string[];
}

const scenes: readonly Scene[] = [
  { example: "create", argv: ["/a"], lines: ["Connected to the server.", "Node: /a is successfully created."] },
  {
    example: "create",
    argv: ["/none/a"],
    lines: ["Connected to the server.", "Failed to create node: /none/a due to: Exception: NO_NODE[-101]@/none/a."],
    // Its errors have no path, though its README says so.
    original: ["Connected to the server.", "Failed to create node: /none/a due to: Exception: NO_NODE[-101]."],
  },
  {
    example: "delete",
    argv: ["/a"],
    before: (client) => client.create("/a"),
    lines: ["Connected to the server.", "Node: /a is deleted."],
  },
  {
    example: "mkdirp",
    argv: ["/a/b/c"],
    lines: ["Connected to the server.", "Path: /a/b/c is successfully created."],
  },
  {
    example: "set",
    argv: ["/a", "some text"],
    before: (client) => client.create("/a"),
    lines: ["Connected to the server.", 'Set data "some text" on node /a, version: 1.'],
  },
  {
    example: "acl",
    argv: ["/a"],
    before: (client) => client.create("/a"),
    lines: [
      "Connected to the server.",
      'ACL is set to: [{"permission":16,"id":{"scheme":"ip","id":"127.0.0.1"}}]',
      'ACL of node: /a is: [{"permission":16,"id":{"scheme":"ip","id":"127.0.0.1"}}]',
    ],
  },
  {
    example: "listSubTreeBFS",
    argv: ["/a"],
    before: (client) => client.create("/a/b/c", null, { parents: true }),
    lines: ["Connected to the server.", 'All child nodes of /a are: ["/a","/a/b","/a/b/c"]'],
    // With the release of async that it asks for it sees one level alone.
    original: ["Connected to the server.", 'All child nodes of /a are: ["/a","/a/b"]'],
  },
  {
    example: "removeRecursive",
    argv: ["/a"],
    before: (client) => client.create("/a/b/c", null, { parents: true }),
    lines: ["Connected to the server.", "Removed all nodes for: /a"],
    original: ["Connected to the server.", "Failed to remove all nodes for /a: Exception: NOT_EMPTY[-111]"],
  },
  { example: "transaction", argv: [], lines: ["Connected to the server.", "Transaction completed."] },
  {
    example: "exists",
    argv: ["/a"],
    changes: [(client) => client.create("/a"), (client) => client.setData("/a", "x"), (client) => client.delete("/a")],
    lines: [
      "Connected to ZooKeeper.",
      "Node /a does not exist.",
      "Got event: NODE_CREATED[1]@/a.",
      "Node: /a exists and its version is: 0",
      "Got event: NODE_DATA_CHANGED[3]@/a.",
      "Node: /a exists and its version is: 1",
      "Got event: NODE_DELETED[2]@/a.",
      "Node /a does not exist.",
    ],
  },
  {
    example: "get",
    argv: ["/a"],
    before: (client) => client.create("/a"),
    changes: [(client) => client.setData("/a", "x"), (client) => client.setData("/a", "y")],
    lines: [
      "Connected to ZooKeeper.",
      "Node: /a has data: undefined, version: 0",
      "Got event: NODE_DATA_CHANGED[3]@/a",
      "Node: /a has data: x, version: 1",
      "Got event: NODE_DATA_CHANGED[3]@/a",
      "Node: /a has data: y, version: 2",
    ],
  },
  {
    example: "list",
    argv: ["/a"],
    before: (client) => client.create("/a"),
    changes: [(client) => client.create("/a/b"), (client) => client.delete("/a/b")],
    lines: [
      "Connected to ZooKeeper.",
      "Children of node: /a are: [].",
      "Got watcher event: NODE_CHILDREN_CHANGED[4]@/a",
      'Children of node: /a are: ["b"].',
      "Got watcher event: NODE_CHILDREN_CHANGED[4]@/a",
      "Children of node: /a are: [].",
    ],
  },
];

test.each(scenes)("the package's example $example $argv runs on compat", async (scene) => {
  const script = join("examples", `${scene.example}.js`);
  const printed = await Promise.all([
    play(join(packages.original, script), scene),
    play(join(packages.compat, script), scene),
  ]);
  expect(printed).toEqual([scene.original ?? scene.lines, scene.lines]);
});

test("a program that makes every call of the package's README prints the same on compat", async () => {
  const scene = { example: "readme", argv: [], lines: [] };
  const printed = [];
  for (const each of Object.values(packages)) printed.push(await play(join(each, "../../readme.js"), scene));
  const [original, compat] = printed;
  expect(compat).toEqual(original);
  expect(original).toContain("done");
});

async function play(script: string, scene: Scene): Promise<string[]> {
  const server = await startTestServer();
  const client = await connect(server.connectString);
  try {
    await scene.before?.(client);
    return await run(script, [server.connectString, ...scene.argv], scene, client);
  } finally {
    await client.close();
    await server.close();
  }
}

async function run(script: string, argv: readonly string[], scene: Scene, client: Client): Promise<string[]> {
  const child = spawn(process.execPath, [script, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (printed += text));
  const linesOf = (): string[] => printed.split("\n").filter((line) => line !== "");
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  try {
    if (scene.changes === undefined) {
      await until(
        `${script} to end`,
        () => hasEnded(child),
        20_000,
        () => printed,
      );
    } else {
      let expected = 2;
      for (const change of scene.changes) {
        await until(
          `${script} to print ${expected} lines`,
          () => linesOf().length >= expected,
          20_000,
          () => printed,
        );
        await change(client);
        expected += 2;
      }
      await until(
        `${script} to print ${expected} lines`,
        () => linesOf().length >= expected,
        20_000,
        () => printed,
      );
    }
  } finally {
    child.kill();
    await ended;
  }
  return linesOf();
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
