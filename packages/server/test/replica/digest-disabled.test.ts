import { expect, test } from "vitest";
import { nodeCompression } from "../../src/host/node-compression.js";
import { snapshotSource } from "../../src/replica/tree-snapshot.js";
import { checkSnapshot } from "../../src/service/snapshot-check.js";
import { SessionTable } from "../../src/sessions/index.js";
import { dataDirectory, decodeTxn, writeSnapshot } from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { golden } from "../storage/golden-directories.js";
import { loadedFrom } from "./loaded-database.js";
import { ReplicaWorld } from "./replica-world.js";
import { create } from "./requests.js";

// `zookeeper.digest.enabled` is a setting of each start: what one start leaves out must not look like damage to another.

test("a start without digests finds nothing wrong with a history that has them", async () => {
  const logger = new KeptLines();
  await loadedFrom(golden("populated").disk, { logger, treeDigestEnabled: false });
  expect(logger.lines.filter(({ level }) => level !== "info")).toEqual([]);
});

test("a snapshot of a server without digests has none to be compared with", async () => {
  const logger = new KeptLines();
  const { tree, recovered } = await loadedFrom(golden("populated").disk, { treeDigestEnabled: false });
  const disk = new MemoryDisk();
  const { snapDirectory } = dataDirectory(disk, "/data");
  await disk.makeDirectory(snapDirectory);
  const { lastZxid } = recovered;
  const source = snapshotSource(tree, new SessionTable(1000, 0), lastZxid, () => lastZxid);
  const { path } = await writeSnapshot({ disk, directory: snapDirectory, source, logger, pause: async () => {} });

  const name = path.slice(snapDirectory.length + 1);
  expect(await checkSnapshot(disk, path, name, nodeCompression, {})).toMatchObject({ digest: "none" });
  await loadedFrom(disk, { logger, treeDigestEnabled: true });
  expect(logger.lines.filter(({ level }) => level === "error")).toEqual([]);
});

test("the txns of a server without digests have none", async () => {
  const world = new ReplicaWorld({ treeDigestEnabled: false });
  const client = await world.open();
  await create(client, "/a");
  await client.call("closeSession");
  const digests = world.log.entries.map((bytes) => decodeTxn(bytes, 0, bytes.length).digest);
  expect(digests).toEqual([undefined, undefined, undefined]);
});
