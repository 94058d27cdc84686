/** The directories that are damaged: Apache's own, from the golden files, and one that Watchkeeper has written. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createServer } from "../../../packages/server/dist/service/index.js";
import { until } from "../../support/until.js";
import { createBody, opcode, openAcl, setAclBody, setDataBody, versionBody } from "../support/jute.js";
import { RawClient } from "../support/raw-client.js";
import { withTemporaryDirectory } from "../support/temporary-directory.js";
import type { Files } from "./load.js";
import { makeSpecimen, type Specimen } from "./specimen.js";

const GOLDEN = join(import.meta.dirname, "..", "..", "..", "test", "golden", "storage");

export async function allSpecimens(): Promise<Specimen[]> {
  const ours = await writtenByWatchkeeper();
  const snapshots = [...ours.keys()].filter((file) => file.startsWith("snapshot.") && file !== "snapshot.0");
  const newest = Number.parseInt(snapshots[0]!.split(".")[1]!, 16);
  const behind = [...ours.keys()].filter(
    (file) => file.startsWith("log.") && Number.parseInt(file.split(".")[1]!, 16) > newest,
  );
  return [
    await makeSpecimen("watchkeeper", only(ours, [...snapshots, ...behind])),
    await makeSpecimen("watchkeeper, with an older snapshot", ours),
    await makeSpecimen("apache", golden("populated", ["snapshot.8c", "log.86", "log.91"])),
    await makeSpecimen("apache, fuzzy snapshot", golden("populated", ["snapshot.2f", "log.1f", "log.31", "log.3d"])),
    await makeSpecimen("apache, gz", golden("gz", ["snapshot.13.gz", "log.e", "log.19"])),
    await makeSpecimen("apache, snappy", golden("snappy", ["snapshot.16.snappy", "log.f", "log.1d"])),
  ];
}

function only(files: Files, names: readonly string[]): Files {
  return new Map(names.map((name) => [name, files.get(name)!]));
}

function golden(directory: string, names: readonly string[]): Files {
  const { files } = JSON.parse(readFileSync(join(GOLDEN, `${directory}.json`), "utf8")) as {
    files: Record<string, { gzipBase64: string }>;
  };
  return new Map(
    names.map((name) => [name, gunzipSync(Buffer.from(files[`version-2/${name}`]!.gzipBase64, "base64"))]),
  );
}

/** One log under snapshot.0; then, after a restart, a snapshot of that and three logs behind it. */
async function writtenByWatchkeeper(): Promise<Files> {
  return withTemporaryDirectory("specimen", async (dataDir) => {
    const directory = join(dataDir, "version-2");
    await writeSome(dataDir, "/first", () => Promise.resolve());
    await writeSome(dataDir, "/second", () =>
      until("the snapshot of the restart", () => readdirSync(directory).filter(isSnapshot).length === 2),
    );
    const names = readdirSync(directory).filter((name) => isSnapshot(name) || name.startsWith("log."));
    return new Map(names.map((name) => [name, readFileSync(join(directory, name))]));
  });
}

function isSnapshot(name: string): boolean {
  return name.startsWith("snapshot.");
}

async function writeSome(dataDir: string, top: string, beforeWriting: () => Promise<void>): Promise<void> {
  const server = await createServer({ dataDir, port: 0, txnLogFileBytesMax: 900 });
  try {
    await beforeWriting();
    const client = await RawClient.open({ port: server.address.port });
    await client.request(opcode.create, createBody(top, Buffer.from("top")));
    for (let i = 0; i < 4; i++) {
      const path = `${top}/node${i}`;
      await client.request(opcode.create, createBody(path, Buffer.from(`data ${i}`.repeat(i * 4)), i % 2));
      await client.request(opcode.setData, setDataBody(path, Buffer.from(`changed ${i}`)));
      const reader = { perms: 1, scheme: "ip", id: `10.0.0.${i}` };
      await client.request(opcode.setAcl, setAclBody(path, [...openAcl, reader]));
      await client.request(opcode.create, createBody(path, Buffer.from("there already")));
      await client.request(opcode.create, createBody(`${top}/seq-`, Buffer.alloc(0), 2));
    }
    await client.request(opcode.delete, versionBody(`${top}/node2`));
    client.destroy(); // its session and its ephemerals stay
  } finally {
    await server.close();
  }
}
