import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AUTH_INFO_BYTES_MAX,
  ByteWriter,
  PACKET,
  PACKET_BYTES_MIN,
  PACKET_DATA_BYTES_MAX_DEFAULT,
  PACKET_SLOTS,
  packetName,
  quorumPackets,
  readPacketZxid,
  scanQuorumPacket,
  WireError,
  writeInt,
  writeLong,
  writeQuorumPacketData,
} from "../../src/index.js";
import { decodePacket, encodePacket, packetBytes, packets } from "./packet-specimens.js";

describe("the table of packets", () => {
  test("has the numbers 1 to 19, each once, in order", () => {
    expect(Object.values(quorumPackets).map(({ type }) => type)).toEqual(Array.from({ length: 19 }, (_, i) => i + 1));
    expect(PACKET.informAndActivate).toBe(19);
  });

  test("names every type, known or not", () => {
    expect(packetName(PACKET.newLeader)).toBe("NEWLEADER");
    expect(packetName(20)).toBe("packet of unknown type 20");
  });
});

describe("a packet", () => {
  test("that is written is read back the same, wherever it lies and whatever follows", () => {
    fc.assert(
      fc.property(
        packets,
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ maxLength: 9 }),
        (packet, before, after) => {
          const plain = packetBytes(packet);
          const bytes = Uint8Array.from([...before, ...plain, ...after]);
          expect(decodePacket(bytes, before.length)).toEqual({ packet, end: before.length + plain.length });
        },
      ),
    );
  });

  test("of which only the beginning has come is not complete", () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const bytes = packetBytes(packet);
        for (let end = 0; end < bytes.length; end++) expect(decodePacket(bytes, 0, end)).toBeUndefined();
      }),
    );
  });

  test("is found behind the one before, in a stream without lengths", () => {
    fc.assert(
      fc.property(fc.array(packets, { maxLength: 6 }), (list) => {
        const writer = new ByteWriter(1);
        for (const packet of list) encodePacket(writer, packet);
        const found = [];
        for (let at = 0; at < writer.length; ) {
          const next = decodePacket(writer.view(), at)!;
          found.push(next.packet);
          at = next.end;
        }
        expect(found).toEqual(list);
      }),
    );
  });

  test("with data that lie ready is the one written field by field, also where the data are empty", () => {
    const source = Uint8Array.of(9, 1, 2, 3, 9);
    for (const [start, end] of [
      [1, 4],
      [2, 2],
    ] as const) {
      const writer = new ByteWriter(1);
      writeQuorumPacketData(writer, PACKET.proposal, 0x1_0000_0002, source, start, end);
      const data = source.slice(start, end);
      expect(writer.view()).toEqual(packetBytes({ type: PACKET.proposal, zxid: 0x1_0000_0002, data, authInfo: null }));
    }
  });

  test("takes the bytes that the smallest has", () => {
    expect(packetBytes({ type: PACKET.ack, zxid: -1, data: null, authInfo: null }).length).toBe(PACKET_BYTES_MIN);
  });
});

describe("bytes from anybody", () => {
  /** Packets with up to three of their bytes overwritten, and plain noise. */
  const damaged = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc
      .tuple(packets, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }))
      .map(([packet, changes]) => {
        const bytes = packetBytes(packet);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      }),
  );

  test("are read or refused, and refused with a WireError only", () => {
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          const end = decodePacket(bytes)?.end ?? PACKET_BYTES_MIN;
          expect(end).toBeGreaterThanOrEqual(PACKET_BYTES_MIN);
          expect(end).toBeLessThanOrEqual(Math.max(bytes.length, PACKET_BYTES_MIN));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  const slots = new Int32Array(PACKET_SLOTS);
  /** A packet's first bytes, with ints at the places where its lengths are. */
  function beginning(...ints: readonly (readonly [at: number, value: number])[]): Uint8Array {
    const bytes = new Uint8Array(Math.max(...ints.map(([at]) => at)) + 4);
    for (const [at, value] of ints) writeInt(bytes, at, value);
    return bytes;
  }
  const scan = (bytes: Uint8Array, dataBytesMax = 100) => scanQuorumPacket(bytes, 0, bytes.length, slots, dataBytesMax);

  test("are refused at a length of data that cannot be, before the data have come", () => {
    for (const length of [-2, 101, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(() => scan(beginning([12, length])), String(length)).toThrow(
        new WireError(`packet data of ${length} bytes, 100 allowed`),
      );
    }
    for (const length of [-1, 0, 100]) expect(scan(beginning([12, length]))).toBe(0);
    expect(scan(beginning([12, PACKET_DATA_BYTES_MAX_DEFAULT]), PACKET_DATA_BYTES_MAX_DEFAULT)).toBe(0);
  });

  test("are refused at a count of ids that cannot be, before the ids have come", () => {
    for (const count of [-2, AUTH_INFO_BYTES_MAX, 2 ** 31 - 1]) {
      expect(() => scan(beginning([12, -1], [16, count])), String(count)).toThrow(
        new WireError(`packet with ${count} ids`),
      );
    }
    expect(scan(beginning([12, -1], [16, 1]))).toBe(0);
    expect(scan(beginning([12, -1], [16, 0]))).toBe(20);
  });

  test("are refused at the length of an id that is null or too long, before its text has come", () => {
    for (const length of [-1, AUTH_INFO_BYTES_MAX, 2 ** 31 - 1]) {
      expect(() => scan(beginning([12, -1], [16, 1], [20, length])), String(length)).toThrow(WireError);
      expect(() => scan(beginning([12, -1], [16, 1], [20, 0], [24, length])), String(length)).toThrow(WireError);
    }
    expect(scan(beginning([12, -1], [16, 1], [20, AUTH_INFO_BYTES_MAX - 4]))).toBe(0);
  });

  test("with a zxid that a double cannot hold are refused when it is read", () => {
    for (const [zxid, isExact] of [
      [2n ** 53n - 1n, true],
      [2n ** 53n, false],
      [2n ** 53n + 1n, false],
      [-(2n ** 53n) + 1n, true],
      [-(2n ** 53n), false],
      [-(2n ** 63n), false],
    ] as const) {
      const bytes = beginning([12, -1], [16, -1]);
      writeLong(bytes, 4, zxid);
      expect(scan(bytes)).toBe(20);
      if (isExact) expect(BigInt(readPacketZxid(slots))).toBe(zxid);
      else expect(() => readPacketZxid(slots)).toThrow(new WireError("packet with a zxid beyond 2^53"));
    }
  });
});
