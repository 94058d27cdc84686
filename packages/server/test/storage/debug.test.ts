import { test } from "vitest";
import { nodeCompression } from "../../src/host/node-compression.js";
import { DataDirectoryError, dataDirectory, recover, TxnLog, writeSnapshot } from "../../src/storage/index.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { ContentSink, ContentSource, contentOf } from "./contents.js";
import { batchOf, noise, seenTxn, txn } from "./txns.js";
import { MemoryLogger, SeededRandom, TurnedClock } from "./world.js";

test("debug", async () => {
  const kinds: any = { sectors: 0, plain: 0 };
  for (let seed = 1; seed <= 700; seed++) {
    const disk = new MemoryDisk();
    const logger = new MemoryLogger();
    const directory = dataDirectory(disk, "/data");
    await disk.makeDirectory("/data/version-2");
    await writeSnapshot({
      disk,
      directory: directory.snapDirectory,
      source: new ContentSource(0, contentOf(2)),
      logger,
      pause: async () => {},
    });
    const random = new SeededRandom(seed);
    let ops: string[] = [];
    let acked = 0;
    let history: any[] = [];
    for (let life = 0; life < 6; life++) {
      const seen: any[] = [];
      try {
        const r: any = await recover({
          disk,
          directory,
          logger,
          compression: nodeCompression,
          openSnapshot: () => new ContentSink(),
          apply: (b, s, e, z) => seen.push(seenTxn(b, s, e, z)),
        });
        if (
          r.lastZxid < acked ||
          JSON.stringify(seen.map((x) => x.zxid)) !==
            JSON.stringify(history.slice(0, r.lastZxid).map((x: any) => x.zxid))
        )
          throw new Error(`seed ${seed}`);
        for (const t of r.tornTails) kinds[t.reason.includes("sectors") ? "sectors" : "plain"]++;
        history = history.slice(0, r.lastZxid);
        acked = 0;
      } catch (e) {
        if (!(e instanceof DataDirectoryError)) throw e;
        console.log(seed, life, e.message.slice(0, 150));
        console.log(ops.slice(-12).join("\n"));
        const c = disk.contents(e.file);
        let line = "";
        for (let s = 0; s * 512 < c.length && s < 40; s++)
          line += `${s * 512}:${c.subarray(s * 512, s * 512 + 512).every((x) => x === 0) ? "0" : "x"}(${c.subarray(s * 512, s * 512 + 512).findLastIndex((x) => x !== 0)},${c.subarray(s * 512, s * 512 + 512).findIndex((x) => x !== 0)}) `;
        console.log(line);
        const want = batchOf(history.slice(0x23)).entriesWithFileHeader();
        const diffs: number[] = [];
        for (let i = 0; i < want.length; i++) if (want[i] !== c[i]) diffs.push(i);
        console.log(
          diffs.length,
          diffs.slice(0, 5),
          want.length,
          Array.from(want.slice(2931, 2990)).join(),
          "|",
          Array.from(c.slice(2931, 2990)).join(),
        );
        return;
      }
      const log = new TxnLog(
        { disk, directory: directory.logDirectory, clock: new TurnedClock(), logger },
        { preAllocBytes: random.below(2) * 600_000 },
      );
      ops = [];
      let left = random.below(40);
      disk.beforeOperation = (op) => {
        ops.push(JSON.stringify(op));
        if (left-- === 0) {
          ops.push("CRASH");
          disk.crash(random);
        }
        return undefined;
      };
      try {
        while (left >= 0) {
          const count = 1 + random.below(12);
          const first = history.length + 1;
          const batch = Array.from({ length: count }, (_, i) => txn(first + i, noise(random.below(900), first + i)));
          history.push(...batch);
          ops.push(`append ${first}+${count} ${batchOf(batch).byteLength}`);
          await log.append(batchOf(batch));
          if (left >= 0) acked = history.length;
          if (random.below(6) === 0) {
            log.roll();
            ops.push("roll");
          }
        }
      } catch {}
      disk.beforeOperation = undefined;
    }
  }
  console.log(kinds);
}, 600000);
