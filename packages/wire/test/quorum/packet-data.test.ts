import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ackEpoch,
  ByteReader,
  ByteWriter,
  decodeLearnerInfo,
  encodeLearnerInfo,
  forEachSessionTimeout,
  LEARNER_PROTOCOL_VERSION,
  leaderInfo,
  OP,
  readDesignatedLeader,
  readExactLong,
  requestHead,
  revalidateReply,
  sessionTimeout,
  WireError,
  writeLong,
  writeRequestHead,
  writeSessionTimeout,
} from "../../src/index.js";

const exact = fc.maxSafeInteger();
const halves = fc.tuple(fc.integer(), fc.integer());
const idOf = (high: number, low: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);

function bytesOf(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(1);
  write(writer);
  return writer.view().slice();
}

describe("LearnerInfo", () => {
  test("is read back as written", () => {
    fc.assert(
      fc.property(exact, exact, (sid, configVersion) => {
        const bytes = bytesOf((writer) => encodeLearnerInfo(writer, sid, configVersion));
        expect(bytes.length).toBe(20);
        const expected = { sid, protocolVersion: LEARNER_PROTOCOL_VERSION, configVersion };
        expect(decodeLearnerInfo(bytes, 0, 20)).toEqual(expected);
      }),
    );
  });

  test("holds what its length has room for: older learners name less", () => {
    const bytes = bytesOf((writer) => encodeLearnerInfo(writer, 7, 0x1_0000_0003));
    const at = (length: number) => decodeLearnerInfo(bytes, 0, length);
    const nobody = { sid: undefined, protocolVersion: 1, configVersion: undefined };
    for (const length of [-1, 0, 7]) expect(at(length), String(length)).toEqual(nobody);
    for (const length of [8, 11]) expect(at(length), String(length)).toEqual({ ...nobody, sid: 7 });
    for (const length of [12, 19]) {
      expect(at(length), String(length)).toEqual({ ...nobody, sid: 7, protocolVersion: LEARNER_PROTOCOL_VERSION });
    }
    expect(at(25)).toEqual({ sid: 7, protocolVersion: LEARNER_PROTOCOL_VERSION, configVersion: 0x1_0000_0003 });
  });
});

test("a 64-bit value that a double cannot hold is refused, not rounded", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const bytes = new Uint8Array(8);
      writeLong(bytes, 0, value);
      const isExact = value < 2n ** 53n && value > -(2n ** 53n);
      if (isExact) expect(BigInt(readExactLong(bytes, 0))).toBe(value);
      else expect(() => readExactLong(bytes, 0)).toThrow(WireError);
    }),
  );
});

describe("sessions in PING and REVALIDATE", () => {
  const sessions = fc.array(fc.tuple(fc.integer(), fc.integer(), fc.integer()), { maxLength: 5 });

  test("are visited as written, all 64 bits of the id", () => {
    fc.assert(
      fc.property(sessions, fc.nat({ max: 5 }), (list, offset) => {
        const bytes = bytesOf((writer) => {
          writer.reserve(offset);
          for (const [high, low, timeoutMs] of list) writeSessionTimeout(writer, high, low, timeoutMs);
        });
        const visited: [number, number, number][] = [];
        forEachSessionTimeout(bytes, offset, bytes.length - offset, (...one) => visited.push(one));
        expect(visited).toEqual(list);
        const reader = new ByteReader(bytes, offset);
        for (const [high, low, timeoutMs] of list) {
          expect(sessionTimeout.decode(reader)).toEqual({ sessionId: idOf(high, low), timeoutMs });
        }
      }),
    );
  });

  test("may be none, in an empty buffer or in null", () => {
    for (const length of [0, -1]) {
      forEachSessionTimeout(new Uint8Array(24), 0, length, () => expect.unreachable("there is no session"));
    }
  });

  test("that end within one are refused before any is visited", () => {
    for (const length of [1, 11, 13]) {
      const visit = () => forEachSessionTimeout(new Uint8Array(24), 0, length, () => expect.unreachable("visited"));
      expect(visit, String(length)).toThrow(WireError);
    }
  });
});

test("a REQUEST begins with session, cxid and opcode, written in halves and as a record alike", () => {
  fc.assert(
    fc.property(halves, fc.integer(), fc.constantFrom(...Object.values(OP)), ([high, low], cxid, opcode) => {
      const bytes = bytesOf((writer) => writeRequestHead(writer, high, low, cxid, opcode));
      const value = { sessionId: idOf(high, low), cxid, opcode };
      expect(bytes).toEqual(bytesOf((writer) => requestHead.encode(writer, value)));
      expect(requestHead.decode(new ByteReader(bytes))).toEqual(value);
    }),
  );
});

test("LEADERINFO, ACKEPOCH and the answer to REVALIDATE take the bytes the protocol gives them", () => {
  const hex = (write: (writer: ByteWriter) => void) => Buffer.from(bytesOf(write)).toString("hex");
  expect(hex((w) => leaderInfo.encode(w, { protocolVersion: LEARNER_PROTOCOL_VERSION }))).toBe("00010000");
  expect(hex((w) => ackEpoch.encode(w, { currentEpoch: -1 }))).toBe("ffffffff");
  expect(hex((w) => revalidateReply.encode(w, { sessionId: 0x1234n, valid: false }))).toBe("000000000000123400");
});

test("a designated leader is the first 8 bytes, and missing where there are fewer", () => {
  const bytes = bytesOf((writer) => {
    writer.longFromNumber(3);
    writer.int(99);
  });
  expect(readDesignatedLeader(bytes, 0, 12)).toBe(3);
  for (const length of [-1, 0, 7]) expect(() => readDesignatedLeader(bytes, 0, length)).toThrow(WireError);
});
