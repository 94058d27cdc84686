import { rmSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { DiskError, type DiskFile } from "../../src/ports/index.js";
import { ServerUnderTest, serve } from "../support/server-under-test.js";
import { until } from "../support/until.js";

/** What the servers of this file do to the log: the real disk stands behind it. */
const disk = vi.hoisted(() => ({
  hold: undefined as Promise<void> | undefined,
  failNext: undefined as (() => Error) | undefined,
  writes: 0,
}));

vi.mock("../../src/host/node-disk.js", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../src/host/node-disk.js")>();
  class TroubledDisk extends original.NodeDisk {
    override async open(...args: Parameters<InstanceType<typeof original.NodeDisk>["open"]>): Promise<DiskFile> {
      const file = await super.open(...args);
      if (!/log\.[0-9a-f]+$/.test(args[0])) return file; // a new log has another name before the dot until it is whole
      const write = file.write.bind(file);
      file.write = async (bytes, position) => {
        disk.writes += 1;
        if (disk.failNext !== undefined) throw disk.failNext();
        await write(bytes, position);
        await disk.hold;
      };
      return file;
    }
  }
  return { ...original, NodeDisk: TroubledDisk };
});

function held(): () => void {
  let release: () => void = () => {};
  disk.hold = new Promise((resolve) => {
    release = () => {
      disk.hold = undefined;
      resolve();
    };
  });
  onTestFinished(release);
  return release;
}

test("W4, W7: while the log's write has not reached the disk, no reply and no event leaves", async () => {
  const server = await serve();
  const client = await server.client();
  const other = await server.client();
  await client.create("/a", "old");
  const told: string[] = [];
  await other.getData("/a", { watch: () => told.push("event") });

  const release = held();
  const writes = disk.writes;
  const written = client.setData("/a", "new").then(() => told.push("acknowledged"));
  await until(() => disk.writes > writes);
  // Others are served meanwhile, from the tree as it was.
  for (let i = 0; i < 20; i++) expect(String(await other.getData("/a"))).toBe("old");
  expect(told).toEqual([]);
  release();
  await written;
  expect(String(await other.getData("/a"))).toBe("new");

  expect(told.sort()).toEqual(["acknowledged", "event"]);
});

test("W4, W7: a session is open only when its creation is durable", async () => {
  const server = await serve();
  const release = held();
  const writes = disk.writes;
  const raw = await server.socket();
  let answered = false;
  const shaken = raw.handshake().then(() => {
    answered = true;
  });
  await until(() => disk.writes > writes);
  await server.word("ruok");
  expect(answered).toBe(false);

  release();
  await shaken;
});

test.for(["ENOSPC", "EIO"])("W4, W7: a failing append (%s) acknowledges nothing and ends the server", async (code) => {
  const server = new ServerUnderTest({});
  await server.start();
  onTestFinished(() => rmSync(server.dataDir, { recursive: true, force: true }));
  const client = await server.client();
  await client.create("/kept", "acknowledged");
  const told: unknown[] = [];

  disk.failNext = () => new DiskError(code, "log", `cannot write the log: ${code}`);
  const written = client.setData("/kept", "lost").then(
    () => told.push("acknowledged"),
    (error) => told.push(error.code, error.outcome),
  );
  const reason = await server.server.ended;
  await written;
  disk.failNext = undefined;

  expect(reason?.message).toContain("the transaction log cannot be written");
  expect(told).toEqual(["CONNECTION_LOSS", "unknown"]);
  expect(server.log.of("error").map(({ sentence }) => sentence)).toEqual([expect.stringContaining("the server stops")]);
  // Once the disk is mended everything that was acknowledged is there.
  await server.start();
  const again = await server.client();
  expect(String(await again.getData("/kept"))).toBe("acknowledged");
  await server.server.close();
});

test("W7: what was acknowledged is there after a restart", async () => {
  const server = await serve();
  const client = await server.client();
  await client.create("/a", "1");
  await client.setData("/a", "2");
  await client.create("/a/b", null, { mode: "persistent-sequential" });
  const { stat } = await client.getDataWithStat("/a");

  await server.restart();
  const again = await server.client();

  expect(await again.getDataWithStat("/a")).toEqual({ data: Buffer.from("2"), stat });
  expect(await again.getChildren("/a")).toEqual(["b0000000000"]);
});
