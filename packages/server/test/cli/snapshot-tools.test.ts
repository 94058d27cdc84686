import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GoldenDirectory, type GoldenNode, golden, temporaryDirectory } from "./golden-directory.js";
import { jsonLines, watchkeeper } from "./run-program.js";

interface PrintedNode {
  readonly kind: string;
  readonly path: string;
  readonly data: string | null;
  readonly encoding: "utf8" | "base64";
  readonly [field: string]: unknown;
}

function hexOf({ data, encoding }: PrintedNode): string | null {
  return data === null ? null : Buffer.from(data, encoding).toString("hex");
}

const LETTERS = [..."rwcda"];

function permissionsOf(perms: number): string {
  return [..."cdrwa"].filter((letter) => (perms & (1 << LETTERS.indexOf(letter))) !== 0).join("");
}

/** A golden node in the words of the print. */
function expectedFields({ stat, acl, persistedEphemeralOwner }: GoldenNode): object {
  const hex = (value: string | number | undefined): string =>
    `0x${BigInt.asUintN(64, BigInt(value ?? 0)).toString(16)}`;
  const iso = (value: string | number | undefined): string => new Date(Number(value)).toISOString();
  return {
    version: stat["version"],
    aversion: stat["aversion"],
    dataLength: stat["dataLength"],
    childrenCreated: (Number(stat["cversion"]) + Number(stat["numChildren"])) / 2,
    ctime: iso(stat["ctime"]),
    mtime: iso(stat["mtime"]),
    czxid: hex(stat["czxid"]),
    mzxid: hex(stat["mzxid"]),
    pzxid: hex(stat["pzxid"]),
    ephemeralOwner: hex(persistedEphemeralOwner),
    acl: acl.map(({ perms, id }) => ({ ...id, permissions: permissionsOf(perms) })),
  };
}

describe("snapshot print", () => {
  test.each([
    ["populated", "snapshot.8c", 0x8c, 40],
    ["gz", "snapshot.13.gz", 0x13, 15],
    ["snappy", "snapshot.16.snappy", 0x16, 15],
  ] as const)(
    "of %s has the nodes as Apache serves them, where no later txn changed them",
    async (name, file, zxid, count) => {
      const directory = new GoldenDirectory(name);
      const ended = await watchkeeper("snapshot", "print", directory.path(file), "--json");
      expect(ended).toMatchObject({ code: 0, stderr: "" });
      const printed = new Map(jsonLines<PrintedNode>(ended).map((node) => [node.path, node]));
      const unchanged = Object.entries(golden(name).expected.nodes).filter(
        ([path, { stat }]) =>
          Math.max(Number(stat["mzxid"]), Number(stat["pzxid"])) <= zxid && !path.startsWith("/zookeeper"),
      );
      expect(unchanged.length).toBeGreaterThanOrEqual(count);
      for (const [path, node] of unchanged) {
        expect(printed.get(path), path).toMatchObject(expectedFields(node));
        expect(hexOf(printed.get(path)!), path).toBe(node.data?.hex ?? null);
      }
    },
  );

  test("has the sessions first and what the file holds in all last", async () => {
    const directory = new GoldenDirectory("populated");
    const lines = jsonLines<Record<string, unknown>>(
      await watchkeeper("snapshot", "print", directory.path("snapshot.8c"), "--json"),
    );
    expect(lines.slice(0, 2)).toEqual(
      golden("populated").expected.sessions.map(({ id, timeoutMs }) => ({ kind: "session", session: id, timeoutMs })),
    );
    const nodes = lines.filter(({ kind }) => kind === "node").length;
    expect(lines.at(-1)).toMatchObject({
      kind: "end",
      nodes,
      sessions: 2,
      digestZxid: "0x8e",
      lastProcessedZxid: null,
    });
  });

  test("tells containers, TTL nodes and ephemerals from the others", async () => {
    const directory = new GoldenDirectory("populated");
    const { stdout } = await watchkeeper("snapshot", "print", directory.path("snapshot.8c"));
    const entryOf = (path: string): string => stdout.split(/\n(?=\S)/).find((entry) => entry.startsWith(`${path} `))!;
    expect(entryOf("/box")).toMatch(/ container$/);
    expect(entryOf("/ttl")).toMatch(/ ttl=5000000ms$/);
    expect(entryOf("/app/live")).toMatch(/ ephemeral of 0x1000015f6a40000$/);
    expect(entryOf("/app")).toMatch(/ acl=world:anyone:cdrwa$/);
  });

  test("--path prints a node and those below it, not those that only begin alike", async () => {
    const directory = new GoldenDirectory("populated");
    const file = directory.path("snapshot.8c");
    const pathsOf = async (path: string): Promise<string[]> =>
      jsonLines<PrintedNode>(await watchkeeper("snapshot", "print", file, "--path", path, "--json")).map(
        (node) => node.path,
      );
    expect(await pathsOf("/app/multi")).toEqual(["/app/multi", "/app/multi/e"]);
    expect(await pathsOf("/ttl")).toEqual(["/ttl"]);
    expect(await pathsOf("/")).toHaveLength(64);

    const { code, stderr } = await watchkeeper("snapshot", "print", file, "--path", "/nothing");
    expect({ code, stderr }).toEqual({ code: 3, stderr: `watchkeeper: ${file}: no node /nothing in it\n` });
  });

  test("of a damaged file ends with what is wrong and where", async () => {
    const directory = new GoldenDirectory("populated");
    const file = directory.path("snapshot.8c");
    directory.write("snapshot.8c", directory.read("snapshot.8c").subarray(0, 500));
    const { code, stdout, stderr } = await watchkeeper("snapshot", "print", file);
    expect(code).toBe(1);
    expect(stdout).toContain('/  "root"');
    expect(stdout).not.toContain("end: ");
    expect(stderr).toMatch(
      /^watchkeeper: .*snapshot\.8c, offset \d+: the file ends within the node list\. Restore the file/,
    );
  });
});

describe("snapshot check", () => {
  test("finds all snapshots of Apache directories whole, packed or not", async () => {
    const roots = (["fresh", "populated", "gz", "snappy"] as const).map((name) => new GoldenDirectory(name).root);
    const ended = await watchkeeper("snapshot", "check", ...roots, "--json");
    expect(ended.code).toBe(0);
    const checked = jsonLines<{ file: string; verdict: string; digest: string }>(ended);
    expect(checked).toHaveLength(1 + 8 + 3 + 3);
    expect(new Set(checked.map(({ verdict }) => verdict))).toEqual(new Set(["whole"]));
    expect(checked.filter(({ digest }) => digest === "matches").length).toBeGreaterThanOrEqual(8);
    expect(checked.filter(({ digest }) => digest === "differs")).toEqual([]);
  });

  test.each([
    ["populated", "snapshot.8c"],
    ["gz", "snapshot.13.gz"],
    ["snappy", "snapshot.16.snappy"],
  ] as const)("finds a single turned bit in %s", async (name, file) => {
    const directory = new GoldenDirectory(name);
    directory.damage(file, 400);
    const { code, stdout } = await watchkeeper("snapshot", "check", directory.root);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`${file} {2}damaged\\n {2}.*${file}, offset \\d+: `));
    expect(stdout).toContain("Restore the file from a backup");
    expect(stdout.match(/ whole /g)).toHaveLength(
      Object.keys(golden(name).files).filter((path) => path.includes("snapshot")).length - 1,
    );
  });

  test("finds nodes that are not those of the recorded digest, though every seal is right", async () => {
    const directory = new GoldenDirectory("populated");
    const bytes = directory.read("snapshot.1d");
    bytes.write("UNICODE", bytes.indexOf("unicode"));
    resealed(bytes);
    directory.write("snapshot.1d", bytes);
    const { code, stdout } = await watchkeeper("snapshot", "check", directory.path("snapshot.1d"));
    expect(code).toBe(1);
    expect(stdout).toContain("differs  27 nodes, 4 sessions, digest differs from that of 0x1d");
  });

  test("of a file that is none of a server's tells what a snapshot begins with", async () => {
    const file = join(temporaryDirectory(), "snapshot.1");
    writeFileSync(file, "this is no snapshot at all");
    const { code, stdout } = await watchkeeper("snapshot", "check", file);
    expect(code).toBe(1);
    expect(stdout).toContain("offset 0: a snapshot begins with the magic 0x5a4b534e, found 0x74686973");
  });
});

describe("snapshot summary", () => {
  test("counts nodes, bytes and ephemerals by subtree, and nothing gets lost", async () => {
    const directory = new GoldenDirectory("populated");
    const file = directory.path("snapshot.8c");
    const sums = jsonLines<Record<string, unknown>>(await watchkeeper("snapshot", "summary", file, "--json"));
    const nodes = jsonLines<PrintedNode>(await watchkeeper("snapshot", "print", file, "--path", "/", "--json"));
    const below = nodes.filter(({ path }) => path === "/app" || path.startsWith("/app/"));
    expect(sums.find(({ path }) => path === "/app")).toEqual({
      path: "/app",
      nodes: below.length,
      dataBytes: below.reduce((sum, node) => sum + Number(node["dataLength"]), 0),
      ephemerals: below.filter((node) => node["owner"] === "ephemeral").length,
    });
    expect(sums.at(-1)).toMatchObject({ path: "/", nodes: nodes.length, ephemerals: 3 });
    const bytes = sums.slice(0, -1).map(({ dataBytes }) => Number(dataBytes));
    expect(bytes).toEqual(bytes.toSorted((a, b) => b - a));
  });

  test("is a table for people", async () => {
    const directory = new GoldenDirectory("gz");
    const { code, stdout } = await watchkeeper("snapshot", "summary", directory.path("snapshot.13.gz"));
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]?.trim().split(/ {2,}/)).toEqual(["NODES", "DATA BYTES", "EPHEMERALS", "PATH"]);
    expect(stdout).toMatch(/\n +23 +3520 +11 {2}\/compressed\n/);
  });
});

/** Gives a snapshot of 3.8 whose nodes were changed the seals that fit. */
function resealed(bytes: Buffer): void {
  const second = bytes.length - 13;
  const first = second - 20 - 13;
  for (const seal of [first, second]) bytes.writeUInt32BE(adler32(bytes.subarray(0, seal)), seal + 4);
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}
