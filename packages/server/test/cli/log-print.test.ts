import { expect, test } from "vitest";
import { GoldenDirectory, golden } from "./golden-directory.js";
import { jsonLines, watchkeeper } from "./run-program.js";

interface PrintedTxn {
  readonly file: string;
  readonly offset: number;
  readonly zxid: string;
  readonly opcode: number;
  readonly type: string;
  readonly digest: string | null;
  readonly [field: string]: unknown;
}

test("log print --json has every txn of an Apache directory, in order, with the digest that was logged", async () => {
  const directory = new GoldenDirectory("populated");
  const ended = await watchkeeper("log", "print", directory.root, "--json");
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  const printed = jsonLines<PrintedTxn>(ended).map(({ zxid, opcode, digest }) => [BigInt(zxid), opcode, digest]);
  const expected = Object.values(golden("populated").expected.logs)
    .flat()
    .map(({ zxid, type, digest }) => [BigInt(zxid), type, digest]);
  expect(printed).toEqual(expected);
});

test("log print --json gives each kind of txn its fields", async () => {
  const directory = new GoldenDirectory("populated");
  const printed = jsonLines<PrintedTxn>(await watchkeeper("log", "print", directory.root, "--json"));
  const at = (zxid: string): PrintedTxn => printed.find((txn) => txn.zxid === zxid)!;
  expect(at("0x1")).toMatchObject({ type: "createSession", timeoutMs: 300000, session: "0x1000015f6a40000", cxid: 0 });
  expect(at("0x5")).toMatchObject({
    file: directory.path("log.1"),
    time: "2026-11-23T07:13:08.545Z",
    type: "create",
    path: "/expiring",
    data: "hi",
    encoding: "utf8",
    acl: [{ scheme: "world", id: "anyone", permissions: "cdrwa" }],
    ephemeral: true,
    parentCVersion: 1,
  });
  expect(at("0x7")).toMatchObject({ path: "/app/null", data: null });
  expect(at("0x12")).toMatchObject({ type: "createTTL", path: "/ttl", ttlMs: 5000000 });
  expect(at("0x12")).not.toHaveProperty("ttl");
  expect(at("0x28")).toMatchObject({ type: "error", code: -103, error: "BAD_VERSION", digest: null });
  expect(at("0x2f")).toMatchObject({ type: "closeSession", paths: ["/app/closing-0000000017", "/closing"] });
  expect(at("0x2b")["operations"]).toMatchObject([
    { type: "create", path: "/app/never", data: "hi" },
    { type: "error", error: "BAD_VERSION" },
    { type: "error", error: "RUNTIME_INCONSISTENCY" },
  ]);
});

test("log print is a heading and a line for each txn, readable", async () => {
  const directory = new GoldenDirectory("populated");
  const { code, stdout } = await watchkeeper("log", "print", directory.path("log.c"));
  const lines = stdout.trimEnd().split("\n");
  expect(code).toBe(0);
  expect(lines).toHaveLength(1 + 19);
  expect(lines[0]?.split(/ +/)).toEqual(["TIME", "SESSION", "CXID", "ZXID", "TYPE", "FIELDS"]);
  expect(lines.find((line) => line.includes(" 0x14 "))?.replaceAll(/ +/g, " ")).toBe(
    "2026-11-23T07:13:08.590Z 0x1000015f6a40000 0xf 0x14 create /app/acl-digest " +
      '"d" acl=digest:bob:ikIaKsbtGweaHnb/jKn7OHqbunM=:cdrwa,world:anyone:r parentCVersion=9',
  );
});

test("log print --from and --to print the txns between, both included", async () => {
  const directory = new GoldenDirectory("populated");
  const ended = await watchkeeper("log", "print", directory.root, "--json", "--from", "0xb", "--to", "0xD");
  expect(jsonLines<PrintedTxn>(ended).map(({ zxid }) => zxid)).toEqual(["0xb", "0xc", "0xd"]);
});

test("long data is shortened for people and whole for programs", async () => {
  const directory = new GoldenDirectory("gz");
  const { stdout } = await watchkeeper("log", "print", directory.path("log.1"), "--from", "0x2", "--to", "0x2");
  expect(stdout).toContain(`/compressed "${"c".repeat(60)}"... (200 bytes) acl=`);
  const [txn] = jsonLines<PrintedTxn>(
    await watchkeeper("log", "print", directory.path("log.1"), "--from", "0x2", "--to", "0x2", "--json"),
  );
  expect(txn?.["data"]).toBe("c".repeat(200));
});

test("a torn tail ends the printing with a word on the standard error, and is no failure", async () => {
  const directory = new GoldenDirectory("populated");
  const txns = jsonLines<PrintedTxn>(await watchkeeper("log", "print", directory.path("log.91"), "--json"));
  directory.write("log.91", directory.read("log.91").subarray(0, txns[4]!.offset + 20));
  const { code, stdout, stderr } = await watchkeeper("log", "print", directory.path("log.91"), "--json");
  expect(stdout.trimEnd().split("\n")).toHaveLength(4);
  expect(stderr).toContain(`${directory.path("log.91")}, offset ${txns[4]!.offset}: the file ends `);
  expect(stderr).toContain("never acknowledged");
  expect(code).toBe(0);
});

test("damage ends the printing with what is wrong, where, and what to do, and is a failure", async () => {
  const directory = new GoldenDirectory("populated");
  const txns = jsonLines<PrintedTxn>(await watchkeeper("log", "print", directory.path("log.c"), "--json"));
  directory.damage("log.c", txns[5]!.offset + 30);
  const { code, stdout, stderr } = await watchkeeper("log", "print", directory.path("log.c"), "--json");
  expect(stdout.trimEnd().split("\n")).toHaveLength(5);
  expect(stderr).toContain(`watchkeeper: ${directory.path("log.c")}, offset ${txns[5]!.offset}: an entry of `);
  expect(stderr).toContain(`watchkeeper log cut ${directory.path("log.c")} --at 0x10 --in-place`);
  expect(code).toBe(1);
});

test.each([
  ["a file that is not there", ["log", "print", "/nowhere/log.1"], 1, "cannot open /nowhere/log.1: no such file"],
  ["a zxid without its 0x", ["log", "print", "log.1", "--from", "10"], 2, "a zxid in hex expected, such as 0x1a"],
  ["a zxid beyond what can be held", ["log", "print", "x", "--to", "0xffffffffffffffff"], 2, "a zxid in hex expected"],
  ["no file at all", ["log", "print"], 2, "missing required argument"],
])("%s is told in a sentence", async (_, args, code, sentence) => {
  const ended = await watchkeeper(...args);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(sentence);
  expect(ended.stderr).not.toContain("at async");
  expect(ended.stdout).toBe("");
});
