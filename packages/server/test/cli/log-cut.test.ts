import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serve } from "../support/server-under-test.js";
import { GoldenDirectory, temporaryDirectory } from "./golden-directory.js";
import { jsonLines, watchkeeper } from "./run-program.js";

async function zxidsOf(path: string): Promise<string[]> {
  return jsonLines<{ zxid: string }>(await watchkeeper("log", "print", path, "--json")).map(({ zxid }) => zxid);
}

test("without --output and --in-place it tells what it would do and changes nothing", async () => {
  const directory = new GoldenDirectory("populated");
  const before = directory.read("log.91");
  const { code, stdout } = await watchkeeper("log", "cut", directory.path("log.91"), "--at", "0x93");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /would keep 3 txns up to 0x93, \d+ bytes\n.*would cut off 2 txns from 0x94 on; .* in all\nNothing was changed/,
  );
  expect(directory.read("log.91")).toEqual(before);
});

test("--in-place keeps the txns up to the zxid, byte for byte, and says what it cut", async () => {
  const directory = new GoldenDirectory("populated");
  const log = directory.path("log.91");
  const before = directory.read("log.91");
  const { code, stdout } = await watchkeeper("log", "cut", log, "--at", "0x93", "--in-place");
  expect(code).toBe(0);
  expect(stdout).toContain(`${log}: kept 3 txns up to 0x93`);
  expect(stdout).toContain(`${log}: cut off 2 txns from 0x94 on`);
  const after = directory.read("log.91");
  expect(after).toEqual(before.subarray(0, after.length));
  expect(await zxidsOf(log)).toEqual(["0x91", "0x92", "0x93"]);
  expect(existsSync(join(directory.root, "watchkeeper.lock"))).toBe(false);
});

test("a log is cut through a link to its directory", async () => {
  const directory = new GoldenDirectory("populated");
  const link = join(temporaryDirectory(), "link");
  symlinkSync(directory.root, link);
  const linked = join(link, "version-2", "log.91");
  expect(await watchkeeper("log", "cut", linked, "--at", "0x93", "--in-place")).toMatchObject({ code: 0, stderr: "" });
  expect(await zxidsOf(directory.path("log.91"))).toEqual(["0x91", "0x92", "0x93"]);
});

test("--output into a directory that is not there is told in a sentence", async () => {
  const directory = new GoldenDirectory("populated");
  const output = join(directory.root, "nowhere", "version-2", "log.91");
  const { code, stderr } = await watchkeeper(
    "log",
    "cut",
    directory.path("log.91"),
    "--at",
    "0x93",
    "--output",
    output,
  );
  expect(code).toBe(1);
  expect(stderr).toContain(output);
  expect(stderr).toContain("no such file or directory");
  expect(stderr).not.toContain("should not have happened");
});

test("--output leaves the log as it is", async () => {
  const directory = new GoldenDirectory("populated");
  const before = directory.read("log.91");
  const output = join(temporaryDirectory(), "log.91");
  const ended = await watchkeeper("log", "cut", directory.path("log.91"), "--at", "0x93", "--output", output, "--json");
  expect(ended.code).toBe(0);
  const bytesKept = readFileSync(output).length;
  expect(jsonLines(ended)).toEqual([
    {
      file: directory.path("log.91"),
      done: "copy",
      output,
      txnsKept: 3,
      lastZxidKept: "0x93",
      txnsCut: 2,
      firstZxidCut: "0x94",
      bytesKept,
      bytesCut: before.length - bytesKept,
      ending: "complete",
    },
  ]);
  expect(await zxidsOf(output)).toEqual(["0x91", "0x92", "0x93"]);
  expect(directory.read("log.91")).toEqual(before);
});

test("damage is cut off, and a check is content afterwards", async () => {
  const directory = new GoldenDirectory("populated");
  const log = directory.path("log.91");
  const [, second] = jsonLines<{ offset: number }>(await watchkeeper("log", "print", log, "--json"));
  directory.damage("log.91", second!.offset + 20);
  expect((await watchkeeper("log", "check", log)).code).toBe(1);
  const { stdout } = await watchkeeper("log", "cut", log, "--at", "0x91", "--in-place");
  expect(stdout).toContain("cut off no txns, and the damaged end behind (an entry of");
  expect((await watchkeeper("log", "check", log)).stdout).toContain("whole");
});

test("files that would undo the cut, or make it a gap, are named", async () => {
  const directory = new GoldenDirectory("gz");
  const { stderr } = await watchkeeper("log", "cut", directory.path("log.e"), "--at", "0x11", "--in-place");
  expect(stderr).toContain("more logs: log.19. Move them away");
  expect(stderr).toContain("Snapshots hold txns behind 0x11: snapshot.13.gz. Move them away");
});

test("a running server's log is not cut, nor is one put among its files", async () => {
  const server = await serve();
  const client = await server.client();
  for (const name of ["/a", "/b", "/c"]) await client.create(name);
  const directory = join(server.dataDir, "version-2");
  const log = join(directory, "log.1");
  const before = readFileSync(log);

  const inPlace = await watchkeeper("log", "cut", log, "--at", "0x2", "--in-place");
  expect(inPlace).toMatchObject({ code: 1, stdout: "" });
  expect(inPlace.stderr).toBe(
    `watchkeeper: ${log} belongs to a running server, process ${process.pid}: nothing was cut; stop it first\n`,
  );
  const among = await watchkeeper("log", "cut", log, "--at", "0x2", "--output", join(directory, "log.7"));
  expect(among.code).toBe(1);
  expect(existsSync(join(directory, "log.7"))).toBe(false);
  expect(readFileSync(log)).toEqual(before);

  const link = join(temporaryDirectory(), "link");
  symlinkSync(server.dataDir, link);
  const linked = await watchkeeper("log", "cut", join(link, "version-2", "log.1"), "--at", "0x2", "--in-place");
  expect(linked.stderr).toContain("belongs to a running server");
  expect(readFileSync(log)).toEqual(before);

  const elsewhere = join(temporaryDirectory(), "log.1");
  expect((await watchkeeper("log", "cut", log, "--at", "0x2", "--output", elsewhere)).code).toBe(0);
  expect(await zxidsOf(elsewhere)).toEqual(["0x1", "0x2"]);
});

test("a server starts on a log that was cut, with the txns that were kept", async () => {
  const server = await serve();
  const client = await server.client();
  for (const name of ["/a", "/b", "/c"]) await client.create(name);
  await client.close();
  await server.server.close();
  const log = join(server.dataDir, "version-2", "log.1");
  const created = jsonLines<{ zxid: string; path?: string }>(await watchkeeper("log", "print", log, "--json"));
  const zxid = created.find(({ path }) => path === "/b")!.zxid;
  expect((await watchkeeper("log", "cut", log, "--at", zxid, "--in-place")).code).toBe(0);

  await server.start();
  const again = await server.client();
  expect((await again.getChildren("/")).sort()).toEqual(["a", "b", "zookeeper"]);
});

test.each([
  ["a zxid before the first", ["--at", "0x90", "--in-place"], 1, "it has no txn up to 0x90. Nothing was cut"],
  ["no zxid", [], 2, "required option '--at <zxid>' not specified"],
  ["both ways at once", ["--at", "0x93", "--in-place", "--output", "x"], 2, "exclude each other"],
])("%s is refused and changes nothing", async (_, args, code, sentence) => {
  const directory = new GoldenDirectory("populated");
  const before = directory.read("log.91");
  const ended = await watchkeeper("log", "cut", directory.path("log.91"), ...args);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(sentence);
  expect(directory.read("log.91")).toEqual(before);
});

test("nothing is written over, nor under a name that Apache would take for a live log's", async () => {
  const directory = new GoldenDirectory("populated");
  const log = directory.path("log.91");
  const taken = await watchkeeper("log", "cut", log, "--at", "0x93", "--output", directory.path("log.86"));
  expect(taken.code).toBe(1);
  expect(taken.stderr).toContain(`${directory.path("log.86")}: the file to write to exists already`);
  const stray = await watchkeeper("log", "cut", log, "--at", "0x93", "--output", directory.path("log.91.fixed"));
  expect(stray.code).toBe(1);
  expect(stray.stderr).toContain("this name would be taken for a log's");
  expect(existsSync(directory.path("log.91.fixed"))).toBe(false);
});
