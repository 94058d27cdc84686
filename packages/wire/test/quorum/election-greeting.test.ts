import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ByteWriter,
  ELECTION_GREETING_BYTES_MAX,
  type ElectionAddress,
  encodeText,
  readElectionGreeting,
  writeElectionGreeting,
} from "../../src/index.js";

const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
const addressLists: fc.Arbitrary<ElectionAddress[]> = fc.array(
  fc.record({ host: hosts, port: fc.integer({ min: 0, max: 65535 }) }),
  { minLength: 1, maxLength: 4 },
);

function greeting(sid: number, addresses: readonly ElectionAddress[]): Uint8Array {
  const writer = new ByteWriter(1);
  writeElectionGreeting(writer, sid, addresses);
  return writer.view().slice();
}

/** A greeting of any version, sid and text, right or wrong. */
function raw(version: bigint, sid?: bigint, text?: string, length?: number): Uint8Array {
  const writer = new ByteWriter(1);
  writer.long(version);
  if (sid !== undefined) writer.long(sid);
  if (text !== undefined) {
    const bytes = encodeText(text);
    writer.int(length ?? bytes.length);
    writer.copy(bytes, 0, bytes.length);
  }
  return writer.view().slice();
}
const read = (bytes: Uint8Array) => readElectionGreeting(bytes, 0, bytes.length);

describe("an election greeting", () => {
  test("is read back as written, wherever it lies, with frames behind it", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), addressLists, fc.nat({ max: 5 }), (sid, addresses, offset) => {
        const plain = greeting(sid, addresses);
        const bytes = Uint8Array.from([...new Array(offset).fill(1), ...plain, 0, 0, 0, 40]);
        const end = offset + plain.length;
        expect(readElectionGreeting(bytes, offset, bytes.length)).toEqual({ sid, addresses, end });
      }),
    );
  });

  test("of which only the beginning has come is not complete", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), addressLists, (sid, addresses) => {
        const bytes = greeting(sid, addresses);
        for (let end = 0; end < bytes.length; end++) expect(readElectionGreeting(bytes, 0, end)).toBeUndefined();
      }),
    );
  });

  test("names one address in the form that servers before 3.6 understand", () => {
    const version = (addresses: ElectionAddress[]) => Buffer.from(greeting(1, addresses)).readBigInt64BE();
    expect(version([{ host: "a", port: 1 }])).toBe(-65536n);
    expect(
      version([
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ]),
    ).toBe(-65535n);
  });

  test("of the oldest form is a bare sid", () => {
    for (const sid of [0n, 3n, 2n ** 53n - 1n]) {
      expect(read(raw(sid, 12345n))).toEqual({ sid: Number(sid), addresses: [], end: 8 });
    }
  });

  test("of an observer without a name has no sid", () => {
    const anonymous = 2n ** 63n - 1n;
    expect(read(raw(anonymous))).toEqual({ sid: undefined, addresses: [], end: 8 });
    expect(read(raw(-65536n, anonymous, "h:1"))).toEqual({
      sid: undefined,
      addresses: [{ host: "h", port: 1 }],
      end: 23,
    });
  });

  test("is read, refused or waited for whatever the bytes are, never an error", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.constantFrom(-65536n, -65535n), fc.bigInt({ min: 0n, max: 9n }), fc.string({ maxLength: 30 }))
        .map((parts) => raw(...parts)),
    );
    fc.assert(
      fc.property(noise, (bytes) => {
        const result = read(bytes);
        if (result !== undefined && "end" in result) expect(result.end).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe("an election greeting is refused", () => {
  const refusal = (bytes: Uint8Array): string => {
    const result = read(bytes);
    return result !== undefined && "refused" in result ? result.refused : JSON.stringify(result);
  };

  test("for a version nobody knows, without waiting for more", () => {
    for (const version of [-1n, -65534n, -65537n, -(2n ** 63n)]) {
      expect(refusal(raw(version))).toMatch(/^protocol version -\d+ of the election greeting is unknown$/);
    }
  });

  test("for addresses of a length that cannot be, without waiting for them", () => {
    const ofLength = (length: number) => raw(-65536n, 1n, "", length);
    for (const length of [0, -1, 2049]) {
      expect(refusal(ofLength(length))).toBe(
        `addresses of ${length} bytes in the election greeting, 1 to 2048 allowed`,
      );
    }
    expect(read(ofLength(2048))).toBeUndefined();
    expect(ELECTION_GREETING_BYTES_MAX).toBe(ofLength(2048).length + 2048);
  });

  test.for([
    "nonsense",
    "host:",
    ":1",
    "host:1:2",
    "::1:2181",
    "[::1]",
    "host:65536",
    "host:-1",
    "a:1|",
    "|a:1",
    "a:1||b:2",
  ])("for %j as addresses", (text) => {
    expect(refusal(raw(-65535n, 1n, text))).toMatch(/^".*" in the election greeting is not host:port$/);
  });

  test("for a sid that a double cannot hold", () => {
    expect(refusal(raw(2n ** 53n))).toBe("server id 9007199254740992 is beyond 2^53");
    expect(refusal(raw(-65536n, -(2n ** 63n), "a:1"))).toBe("server id -9223372036854775808 is beyond 2^53");
  });
});
