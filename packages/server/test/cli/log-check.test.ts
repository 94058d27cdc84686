import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GoldenDirectory, temporaryDirectory } from "./golden-directory.js";
import { jsonLines, watchkeeper } from "./run-program.js";

interface CheckedFile {
  readonly file?: string;
  readonly directory?: string;
  readonly verdict: string;
  readonly sound: boolean;
  readonly end: number;
  readonly txns: number;
  readonly findings: {
    readonly kind: string;
    readonly offset?: number;
    readonly found: string;
    readonly advice?: string;
  }[];
}

/** Without snapshots nothing stands for txns that are missing. */
function logsAlone(): GoldenDirectory {
  const directory = new GoldenDirectory("populated");
  for (const zxid of ["0", "a", "1d", "2f", "38", "40", "4e", "8c"]) directory.remove(`snapshot.${zxid}`);
  return directory;
}

async function check(...args: string[]): Promise<{ code: number; files: CheckedFile[] }> {
  const ended = await watchkeeper("log", "check", "--json", ...args);
  return { code: ended.code, files: jsonLines<CheckedFile>(ended) };
}

async function entriesEnd(directory: GoldenDirectory, file: string): Promise<number> {
  return (await check(directory.path(file))).files[0]!.end;
}

test("an Apache directory is whole and without a gap", async () => {
  const directory = new GoldenDirectory("populated");
  const { code, stdout, stderr } = await watchkeeper("log", "check", directory.root);
  const lines = stdout.trimEnd().split("\n");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines).toHaveLength(12);
  expect(lines[0]).toBe(`${directory.path("log.1")}   whole     11 txns, 0x1 to 0xb`);
  expect(lines[11]).toBe(`${join(directory.root, "version-2")}: 11 logs, 149 txns, 0x1 to 0x95; nothing is missing`);
});

test("--json is an object for each file, then one for the directory", async () => {
  const directory = new GoldenDirectory("gz");
  const { code, files } = await check(directory.root);
  expect(code).toBe(0);
  expect(files).toMatchObject([
    { file: directory.path("log.1"), verdict: "whole", sound: true, txns: 13, firstZxid: "0x1", lastZxid: "0xd" },
    { file: directory.path("log.e"), verdict: "whole", firstZxid: "0xe", findings: [] },
    { file: directory.path("log.19"), verdict: "whole", lastZxid: "0x21" },
    { directory: join(directory.root, "version-2"), sound: true, logs: 3, txns: 33 },
  ]);
});

describe("a torn tail", () => {
  test("is sound in the newest log", async () => {
    const directory = logsAlone();
    directory.write("log.91", directory.read("log.91").subarray(0, (await entriesEnd(directory, "log.91")) - 5));
    const { code, files } = await check(directory.root);
    expect(code).toBe(0);
    expect(files[10]).toMatchObject({ verdict: "torn", sound: true, txns: 4 });
    expect(files[10]?.findings[0]?.advice).toContain("a start passes over it by itself");
  });

  test("is sound in an older log that the next goes on from", async () => {
    const directory = logsAlone();
    const end = await entriesEnd(directory, "log.c");
    const bytes = directory.read("log.c");
    bytes[end + 11] = 40; // the length of an entry that never came
    directory.write("log.c", bytes);
    const { code, files } = await check(directory.root);
    expect(code).toBe(0);
    expect(files[1]).toMatchObject({ verdict: "torn", sound: true, findings: [{ kind: "torn", offset: end }] });
    expect(files[1]?.findings[0]?.advice).toBe(
      `Nothing is missing: the next log, ${directory.path("log.1f")}, goes on with 0x1f`,
    );
  });

  test("is a failure where the next log does not go on from it", async () => {
    const directory = logsAlone();
    directory.write("log.c", directory.read("log.c").subarray(0, (await entriesEnd(directory, "log.c")) - 5));
    const { code, files } = await check(directory.root);
    expect(code).toBe(1);
    expect(files[1]).toMatchObject({ verdict: "torn", sound: false });
    expect(files[1]?.findings[0]?.found).toContain(
      `${directory.path("log.1f")}, goes on with 0x1f where 0x1e was to follow`,
    );
    expect(files[2]).toMatchObject({ verdict: "whole", sound: true, findings: [] });
  });

  test("in a file by itself tells what decides", async () => {
    const directory = logsAlone();
    directory.write("log.c", directory.read("log.c").subarray(0, (await entriesEnd(directory, "log.c")) - 5));
    const { code, stdout } = await watchkeeper("log", "check", directory.path("log.c"));
    expect(code).toBe(0);
    expect(stdout).toContain("torn      18 txns, 0xc to 0x1d");
    expect(stdout).toContain("if this is the newest log, or if the next one goes on with 0x1e");
  });

  test("that is all there is of a file is sound at the end", async () => {
    const directory = logsAlone();
    directory.write("log.96", new Uint8Array(0));
    const { code, files } = await check(directory.root);
    expect(code).toBe(0);
    expect(files[11]).toMatchObject({ verdict: "torn", txns: 0, findings: [{ offset: 0 }] });
  });
});

describe("damage", () => {
  test("is a failure, with offset and the command that would give up what follows", async () => {
    const directory = logsAlone();
    directory.damage("log.31", 300);
    const { code, stdout } = await watchkeeper("log", "check", directory.path("log.31"));
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /log\.31 {2}damaged {3}\d txns, 0x31 to 0x3\d\n {2}offset \d+: an entry .* a whole entry follows at offset \d+\n/,
    );
    expect(stdout).toMatch(/watchkeeper log cut .*log\.31 --at 0x3\d --in-place\n$/);
  });

  test("is a failure even where a snapshot makes the log needless, and says so", async () => {
    const directory = new GoldenDirectory("populated");
    directory.damage("log.31", 300);
    const { code, files } = await check(directory.root);
    expect(code).toBe(1);
    expect(files[3]).toMatchObject({ verdict: "damaged", sound: false });
    expect(files[3]?.findings[0]?.advice).toBe(
      "A start does not need this log: the snapshot of 0x8c holds what came before",
    );
  });
});

describe("a missing log", () => {
  test("is a gap that no start gets over", async () => {
    const directory = logsAlone();
    directory.remove("log.55");
    const { code, stdout } = await watchkeeper("log", "check", directory.root);
    expect(code).toBe(1);
    expect(stdout).toContain(`${directory.path("log.66")}  gap       12 txns`);
    expect(stdout).toContain("  it goes on with 0x66 where 0x55 was to follow\n  Restore the file from a backup.");
    expect(stdout).toContain("10 logs, 132 txns, 0x1 to 0x95; 1 not sound, as told above");
  });

  test("is none where a newer snapshot stands for it, beside the logs or in a directory of their own", async () => {
    const directory = new GoldenDirectory("populated");
    directory.remove("log.55");
    expect((await check(directory.root)).code).toBe(0);

    const alone = logsAlone();
    alone.remove("log.55");
    expect((await check(alone.root, "--snapshots", directory.root)).code).toBe(0);
  });

  test("is one where the newest whole snapshot is older", async () => {
    const directory = new GoldenDirectory("populated");
    directory.remove("log.55");
    directory.write("snapshot.8c", directory.read("snapshot.8c").subarray(0, 100));
    expect((await check(directory.root)).code).toBe(1);
  });

  test("is one between the newest snapshot and the oldest log", async () => {
    const directory = new GoldenDirectory("populated");
    directory.remove("log.1", "log.c", "log.1f", "log.31", "log.3d", "log.49", "log.55", "log.66", "log.72", "log.86");
    const { code, files } = await check(directory.root);
    expect(code).toBe(1);
    expect(files[0]?.findings[0]?.found).toBe("it goes on with 0x91 where 0x8d was to follow");
  });
});

describe("a log that goes back", () => {
  test("is sound where it repeats the same txns", async () => {
    const directory = logsAlone();
    directory.write("log.e", directory.read("log.c"));
    const { code, files } = await check(directory.root);
    expect(code).toBe(0);
    expect(files[2]?.findings.map(({ kind }) => kind)).toEqual(["misnamed", "repeats"]);
    expect(files[2]?.findings[1]?.advice).toBe("It repeats the same txns; a start passes over them");
  });

  test("is a conflict where its txns are others", async () => {
    const directory = logsAlone();
    directory.write("log.20", new GoldenDirectory("gz").read("log.19"));
    const { code, files } = await check(directory.root);
    expect(code).toBe(1);
    expect(files[3]).toMatchObject({ file: directory.path("log.20"), verdict: "conflict", sound: false });
    expect(files[3]?.findings[1]?.advice).toContain("with another txn than before");
  });
});

test("a file that cannot be read does not keep the others from being checked", async () => {
  const directory = new GoldenDirectory("gz");
  const missing = directory.path("log.2");
  const { code, stdout } = await watchkeeper("log", "check", missing, directory.path("log.1"));
  expect(code).toBe(1);
  expect(stdout).toContain(`${missing}  unreadable\n  cannot open ${missing}: no such file or directory (ENOENT)\n`);
  expect(stdout).toContain(`${directory.path("log.1")}  whole`);
});

test("a stray copy beside the logs is told of, and no part of the history", async () => {
  const directory = new GoldenDirectory("gz");
  directory.write("log.1.bak", directory.read("log.1"));
  const { code, stdout, stderr } = await watchkeeper("log", "check", directory.root);
  expect(code).toBe(0);
  expect(stderr).toContain(`${directory.path("log.1.bak")} has neither a log's name nor a snapshot's`);
  expect(stdout).not.toContain("bak");
});

test("a new server's directory without a log is sound; a directory that is no server's is an error", async () => {
  const fresh = await watchkeeper("log", "check", new GoldenDirectory("fresh").root);
  expect(fresh.code).toBe(0);
  expect(fresh.stdout).toContain("version-2: no logs, no txns; nothing is missing");

  const elsewhere = temporaryDirectory();
  mkdirSync(join(elsewhere, "photos"));
  const { code, stderr } = await watchkeeper("log", "check", elsewhere);
  expect(code).toBe(1);
  expect(stderr).toBe(
    `watchkeeper: ${elsewhere} holds no log files: name a server's data directory, its version-2, or single files\n`,
  );
});
