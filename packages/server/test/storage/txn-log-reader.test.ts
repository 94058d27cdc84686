import { describe, expect, test } from "vitest";
import { type LogVerdict, readTxnLog } from "../../src/storage/index.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { brief, entryPositions, flipped, logFile, noise, seenTxn, type TestTxn, txn, txns } from "./txns.js";

async function read(
  bytes: Uint8Array,
  entryBytesMax?: number,
): Promise<{ verdict: LogVerdict; seen: TestTxn[]; positions: number[] }> {
  const disk = new MemoryDisk();
  disk.setContents("/log", bytes);
  const seen: TestTxn[] = [];
  const positions: number[] = [];
  const verdict = await readTxnLog(
    disk,
    "/log",
    (entry, start, end, position, zxid) => {
      seen.push(seenTxn(entry, start, end, zxid));
      positions.push(position);
    },
    entryBytesMax === undefined ? {} : { entryBytesMax },
  );
  return { verdict, seen, positions };
}

function zeroed(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.slice().fill(0, start, end);
}

describe("reading a whole log", () => {
  test("delivers every txn with its place, and ends behind the last", async () => {
    const { verdict, seen, positions } = await read(logFile(txns(1, 50)));
    expect(seen).toEqual(txns(1, 50));
    const expected = entryPositions(txns(1, 50));
    expect(positions).toEqual(expected.slice(0, -1));
    expect(verdict).toEqual({ kind: "complete", end: expected.at(-1) });
  });

  test.each([1, 11, 12, 13, 511, 70_000, 3_000_000])("takes %i zeros behind the entries for padding", async (zeros) => {
    const { verdict, seen } = await read(logFile(txns(1, 3), zeros));
    expect([verdict.kind, seen.length]).toEqual(["complete", 3]);
  });

  test("takes entries that lie across the pieces it reads in, up to the largest", async () => {
    const list = [900_000, 150_000, 1_900_000, 2_000_000, 7, 1_048_500].map((size, i) =>
      txn(i + 1, noise(size, i + 1)),
    );
    const { verdict, seen } = await read(logFile(list, 100_000));
    expect(brief(seen)).toEqual(brief(list));
    expect(verdict.kind).toBe("complete");
  });

  test("takes a file without a txn", async () => {
    expect((await read(logFile([]))).verdict).toEqual({ kind: "complete", end: 16 });
    expect((await read(logFile([], 65_536))).verdict).toEqual({ kind: "complete", end: 16 });
  });
});

describe("a file that a crash cut off", () => {
  const list = txns(1, 4);
  const positions = entryPositions(list);
  const whole = logFile(list);

  test("at any byte, yields its whole entries and is torn behind the last, unless nothing but zeros follows", async () => {
    for (let size = 0; size < whole.length; size++) {
      const { verdict, seen } = await read(whole.slice(0, size));
      const complete = positions.filter((position) => position <= size).length - 1;
      expect(seen).toEqual(list.slice(0, Math.max(0, complete)));
      const end = size < 16 ? 0 : positions[complete]!;
      if (size >= 16 && whole.subarray(end, size).every((byte) => byte === 0))
        expect(verdict).toEqual({ kind: "complete", end });
      else expect(verdict).toMatchObject({ kind: "torn", position: end });
    }
  });

  test("at any byte, with zeros in place of the rest, likewise", async () => {
    for (let size = 16; size < whole.length; size++) {
      const { verdict, seen } = await read(zeroed(logFile(list, 100), size, whole.length));
      const complete = positions.filter((position) => position <= size).length - 1;
      expect(seen).toEqual(list.slice(0, Math.max(0, complete)));
      expect(verdict.kind).not.toBe("damaged");
    }
  });

  test("of zeros only is torn at its beginning", async () => {
    expect((await read(new Uint8Array(65_536))).verdict).toMatchObject({ kind: "torn", position: 0 });
  });
});

describe("a file that is no log", () => {
  test("is damaged at its beginning", async () => {
    const { verdict } = await read(new TextEncoder().encode("ZKSN, not a log at all"));
    expect(verdict).toMatchObject({ kind: "damaged", position: 0 });
    expect((await read(Uint8Array.of(1, 2, 3))).verdict).toMatchObject({ kind: "damaged", position: 0 });
  });
});

describe("a break within the entries", () => {
  const list = [1, 2, 3, 4, 5].map((zxid) => txn(zxid, noise(1500, zxid)));
  const positions = entryPositions(list);
  const whole = logFile(list, 3000);

  test("by a flipped bit, anywhere but in the last entry, is damage at that entry", async () => {
    for (let position = 16; position < positions[4]!; position += 7) {
      const { verdict, seen } = await read(flipped(whole, position, 1 << (position % 8)));
      const hit = positions.findLastIndex((start) => start <= position);
      expect(verdict, `flip at ${position}`).toMatchObject({ kind: "damaged", position: positions[hit] });
      expect(brief(seen)).toEqual(brief(list.slice(0, hit)));
    }
  });

  test("by a flipped bit in the last entry looks like a torn one", async () => {
    for (let position = positions[4]!; position < positions[5]!; position += 7) {
      const { verdict, seen } = await read(flipped(whole, position, 1 << (position % 8)));
      expect(verdict).toMatchObject({ kind: "torn", position: positions[4] });
      expect(seen.length).toBe(4);
    }
  });

  test("by a length that leads anywhere is damage while whole entries follow", async () => {
    for (const length of [1, 31, 1400, 1599, 3000, 6000, 9000, 2_097_151, 0x7fffffff, -1, -1600]) {
      const bytes = whole.slice();
      new DataView(bytes.buffer).setInt32(positions[1]! + 8, length);
      expect((await read(bytes)).verdict, `length ${length}`).toMatchObject({
        kind: "damaged",
        position: positions[1],
      });
    }
  });

  test("is judged the same where megabytes of padding lie behind it", async () => {
    const padded = logFile(list, 3_500_000);
    expect((await read(flipped(padded, positions[1]! + 700, 2))).verdict).toMatchObject({
      kind: "damaged",
      position: positions[1],
    });
    expect((await read(flipped(padded, positions[4]! + 700, 2))).verdict).toMatchObject({
      kind: "torn",
      position: positions[4],
    });
    const farOff = await read(flipped(padded, positions[5]! + 3_000_000, 2));
    expect(farOff.verdict).toMatchObject({ kind: "torn", position: positions[5] });
    const lost = zeroed(padded, 1024, 1536);
    const hit = positions.findLastIndex((position) => position <= 1024);
    expect((await read(lost)).verdict).toMatchObject({ kind: "torn", position: positions[hit] });
  });

  test("within node data that is itself a log of old is a torn write, of txns yet to come damage", async () => {
    for (const [inner, kind] of [
      [txns(1, 3), "torn"],
      [txns(9, 11), "damaged"],
    ] as const) {
      const holding = [txn(5), txn(6, logFile(inner))];
      const bytes = logFile(holding);
      expect((await read(bytes.slice(0, bytes.length - 5))).verdict).toMatchObject({
        kind,
        position: entryPositions(holding)[1],
      });
    }
  });

  test("by a length that leads over zeros, in the padding or in another entry's data, is no torn write", async () => {
    const withZeros = [txn(1), txn(2, noise(700)), txn(3, new Uint8Array(2000)), txn(4), txn(5)];
    const starts = entryPositions(withZeros);
    for (const length of [starts[4]! - starts[1]!, starts[3]! - starts[1]!, starts[5]! - starts[1]! + 2000]) {
      const bytes = logFile(withZeros, 3000);
      new DataView(bytes.buffer).setInt32(starts[1]! + 8, length);
      expect((await read(bytes)).verdict, `length ${length}`).toMatchObject({ kind: "damaged", position: starts[1] });
    }
  });

  test("by sectors of zeros is a torn write, even if later sectors of it arrived", async () => {
    for (let sector = 1; sector * 512 < positions[5]!; sector++) {
      const { verdict, seen } = await read(zeroed(whole, sector * 512, sector * 512 + 512));
      expect(verdict.kind, `sector ${sector}`).toBe("torn");
      const hit = positions.findLastIndex((start) => start <= sector * 512);
      const end = verdict.kind === "complete" ? verdict.end : verdict.position;
      // The entry before may reach into the sector with nothing but its end.
      expect([positions[hit], positions[hit - 1]]).toContain(end);
      expect(brief(seen)).toEqual(brief(list.slice(0, positions.indexOf(end))));
    }
  });

  test("by zeros that are no sector is damage", async () => {
    for (const start of [positions[1]! + 100, positions[2]! + 1, 1024 + 3]) {
      expect((await read(zeroed(whole, start, start + 400))).verdict.kind).toBe("damaged");
    }
  });

  test("by lost sectors is damage where more follows than one write can be", async () => {
    const many = Array.from({ length: 12 }, (_, i) => txn(i + 1, noise(1_000_000, i + 1)));
    const bytes = logFile(many);
    expect((await read(zeroed(bytes, 512, 1024))).verdict).toMatchObject({ kind: "damaged", position: 16 });
    const late = entryPositions(many)[6]!;
    const sector = Math.ceil(late / 512) * 512;
    expect((await read(zeroed(bytes, sector, sector + 512))).verdict).toMatchObject({ kind: "torn", position: late });
  });

  test("by bytes in the padding is torn behind the last entry", async () => {
    for (const distance of [0, 5, 11, 12, 512, 2999]) {
      const { verdict, seen } = await read(flipped(whole, positions[5]! + distance, 0x10));
      expect(verdict).toMatchObject({ kind: "torn", position: positions[5] });
      expect(seen.length).toBe(5);
    }
  });
});

describe("an entry that is whole but cannot be taken", () => {
  test("for a lowered limit is damage, not a tail to cut", async () => {
    const { verdict, seen } = await read(logFile([txn(1), txn(2, noise(5000))]), 4000);
    expect(seen.length).toBe(1);
    expect(verdict).toMatchObject({ kind: "damaged", position: entryPositions([txn(1)]).at(-1) });
    expect(verdict).toHaveProperty("reason", expect.stringContaining("jute.maxbuffer"));
  });

  test("for a zxid beyond 2^53-1 is damage", async () => {
    const { verdict } = await read(logFile([txn(1), { ...txn(2 ** 53), data: noise(5) }]));
    expect(verdict).toMatchObject({ kind: "damaged", reason: expect.stringContaining("2^53-1") });
  });
});
