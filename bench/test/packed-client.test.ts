import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startTestServer } from "watchkeeper/testing";
import { packClient } from "../src/limits/packed-client.js";

/** What the server's reading of the wire format shares with the client's is left out of it: so it is seen to work. */
const PROGRAM = `
  import { connect } from "@watchkeeper/client";
  import { Mutex } from "@watchkeeper/client/recipes";
  import { createClient } from "@watchkeeper/client/compat";
  const [connectString] = process.argv.slice(1);
  for (const connectionThread of [false, true]) {
    const client = await connect(connectString, { connectionThread });
    const stream = client.watch("/", { recursive: true });
    await stream.ready;
    await client.multi([{ op: "create", path: "/a", data: "x" }, { op: "check", path: "/a", version: 0 }]);
    const { value: event } = await stream.next();
    const big = Buffer.alloc(500_000, "y");
    await Promise.all(Array.from({ length: 20 }, () => client.setData("/a", big)));
    const read = await Promise.all(Array.from({ length: 20 }, () => client.getData("/a")));
    const same = new Set(read.map((data) => data.equals(big)));
    const hold = await new Mutex(client, "/lock").acquire();
    console.log(connectionThread ? "in a thread:" : "alone:", event.kind, event.path + ",", same.size, "of 1,", hold.isHeld ? "held" : "lost");
    await hold.release();
    await client.delete("/a");
    await client.close();
  }
  const old = createClient(connectString);
  old.once("connected", () => old.exists("/lock", (error, stat) => {
    console.log("compat:", stat.getClass === undefined ? 1 : 2);
    old.close();
  }));
  old.connect();
`;
const UNPACKED_BYTES_MAX = 250_000;

test("the client, as it is published, is small, complete, and needs nobody else's code", async () => {
  const packed = await packClient();
  onTestFinished(() => packed[Symbol.dispose]());
  const largest = packed.files.toSorted((a, b) => b.size - a.size).slice(0, 10);
  const sizes = largest.map(({ path, size }) => `${size} ${path}`).join("\n");
  expect(packed.unpackedBytes, `bytes unpacked; the largest files:\n${sizes}`).toBeLessThan(UNPACKED_BYTES_MAX);

  const server = await startTestServer();
  onTestFinished(() => server.close());
  const args = ["--input-type=module", "--eval", PROGRAM, server.connectString];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: packed.application });
  expect(stdout.trim().split("\n")).toEqual([
    "alone: created /a, 1 of 1, held",
    "in a thread: created /a, 1 of 1, held",
    "compat: 1",
  ]);

  const folder = join(packed.application, "node_modules/@watchkeeper/client");
  const scripts = packed.files.filter(({ path }) => path.endsWith(".js"));
  const imported = scripts.flatMap(({ path }) => {
    const code = readFileSync(join(folder, path), "utf8");
    return [...code.matchAll(/(?:from|import\(?)\s*["'`]([^"'`]+)["'`]/g)].map(([, from]) => from!);
  });
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.filter((from) => !from.startsWith("node:") && !from.startsWith("."))).toEqual([]);
});
