import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ByteWriter,
  CANNOT_LEAD,
  decodeNotification,
  ELECTION_FRAME_BYTES_MAX,
  FrameSplitter,
  makeZxid,
  readLong,
  SERVER_STATE,
  type VoteReport,
  writeInt,
  writeLong,
  writeNotificationFrame,
} from "../../src/index.js";

const voted = fc.oneof(fc.maxSafeInteger(), fc.constant(CANNOT_LEAD));
const reports: fc.Arbitrary<VoteReport> = fc.record({
  state: fc.constantFrom(...Object.values(SERVER_STATE)),
  leader: voted,
  zxid: voted,
  electionEpoch: fc.maxSafeInteger(),
  peerEpoch: voted,
});
const configs = fc.string({ unit: "binary", maxLength: 60 });

function bodyOf(report: VoteReport, config: string): Uint8Array {
  const writer = new ByteWriter(1);
  writeNotificationFrame(writer, report, config);
  return writer.view().slice(4);
}
const decode = (body: Uint8Array) => decodeNotification(body, 0, body.length);

const LOOKING: VoteReport = {
  state: SERVER_STATE.looking,
  leader: 2,
  zxid: makeZxid(3, 9),
  electionEpoch: 5,
  peerEpoch: 4,
};
const CONFIG = "server.1=a:1:2:participant\nversion=0";

describe("a notification", () => {
  test("is read back as written, through the frames of an election connection", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(reports, configs), { maxLength: 3 }), (list) => {
        const writer = new ByteWriter(1);
        for (const [report, config] of list) writeNotificationFrame(writer, report, config);
        const splitter = new FrameSplitter(ELECTION_FRAME_BYTES_MAX);
        splitter.push(writer.view());
        for (const [report, config] of list) {
          expect(splitter.next()).toBe(true);
          const read = decodeNotification(splitter.bytes, splitter.start, splitter.end - splitter.start);
          expect(read).toEqual({ ...report, version: 2, config });
        }
        expect(splitter.next()).toBe(false);
      }),
    );
  });

  test("of a server that cannot lead holds Java's least long", () => {
    const body = bodyOf({ ...LOOKING, leader: CANNOT_LEAD, zxid: CANNOT_LEAD, peerEpoch: CANNOT_LEAD }, CONFIG);
    for (const at of [4, 12, 28]) expect(readLong(body, at)).toBe(-(2n ** 63n));
    expect(decode(body)).toMatchObject({ leader: CANNOT_LEAD, zxid: CANNOT_LEAD, peerEpoch: CANNOT_LEAD });
  });

  test("is ignored or read whatever its bytes are, never an error", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 80 }),
          reports.map((one) => bodyOf(one, CONFIG)),
        ),
        (bytes) => {
          expect(() => decode(bytes)).not.toThrow();
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the length of a notification tells its form", () => {
  const whole = bodyOf(LOOKING, CONFIG);
  const cut = (length: number, version = 2): Uint8Array => {
    const body = whole.slice(0, length);
    if (length >= 40) writeInt(body, 36, version);
    return body;
  };

  test("below 28, and between 28 and 40, it is ignored", () => {
    for (const length of [0, 4, 27, 29, 36, 39]) expect(decode(cut(length)), String(length)).toBeUndefined();
  });

  test("with 28 the epoch is that of the zxid", () => {
    const form = { version: 0, config: undefined };
    expect(decode(cut(28))).toEqual({ ...LOOKING, peerEpoch: 3, ...form });
    const observer = bodyOf({ ...LOOKING, zxid: CANNOT_LEAD }, CONFIG).slice(0, 28);
    expect(decode(observer)).toEqual({ ...LOOKING, zxid: CANNOT_LEAD, peerEpoch: CANNOT_LEAD, ...form });
  });

  test("with 40 the epoch is there and the version is not looked at", () => {
    for (const version of [0, 1, 2, -1]) {
      expect(decode(cut(40, version))).toEqual({ ...LOOKING, version: 0, config: undefined });
    }
  });

  test("above 40 a version up to 1 goes without a configuration, whatever follows", () => {
    for (const version of [1, 0, -5]) {
      for (const length of [41, 44, whole.length]) {
        expect(decode(cut(length, version))).toEqual({ ...LOOKING, version, config: undefined });
      }
    }
  });

  test("above 40 a later version is ignored unless the whole configuration is there", () => {
    for (let length = 41; length < whole.length; length++) expect(decode(cut(length)), String(length)).toBeUndefined();
    expect(decode(whole)).toEqual({ ...LOOKING, version: 2, config: CONFIG });
    expect(decode(cut(whole.length, 3))).toEqual({ ...LOOKING, version: 3, config: CONFIG });
    expect(decode(Uint8Array.from([...whole, 1, 2]))).toEqual({ ...LOOKING, version: 2, config: CONFIG });
  });

  test("a length of the configuration that cannot be makes it ignored", () => {
    for (const length of [-1, whole.length - 43, 2 ** 31 - 1]) {
      const body = whole.slice();
      writeInt(body, 40, length);
      expect(decode(body), String(length)).toBeUndefined();
    }
  });
});

test("a state that does not exist, and a number that a double cannot hold, make a notification ignored", () => {
  for (const state of [-1, 4]) {
    const body = bodyOf(LOOKING, CONFIG);
    writeInt(body, 0, state);
    expect(decode(body)).toBeUndefined();
  }
  for (const at of [4, 12, 20, 28]) {
    const body = bodyOf(LOOKING, CONFIG);
    writeLong(body, at, 2n ** 53n);
    expect(decode(body), String(at)).toBeUndefined();
  }
});
