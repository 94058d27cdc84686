import { describe, expect, test } from "vitest";
import { unpackBlock, unpackSnappy } from "../../src/host/snappy-stream.js";
import { CompressionError } from "../../src/storage/index.js";
import { SeededRandom } from "../../src/testing/seeded-random.js";
import { hex } from "./txns.js";

async function unpack(bytes: Uint8Array, pieceBytes = bytes.length): Promise<string> {
  const pieces = (async function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  })();
  let text = "";
  for await (const piece of unpackSnappy(pieces)) text += new TextDecoder().decode(piece);
  return text;
}

const HEADER = "82534e4150505900 00000001 00000001";
/** "abcdabcdabcd": a literal of 4, a copy of 8 from 4 back. */
const BLOCK = "0c 0c 61626364 11 04";

describe("snappy", () => {
  test("unpacks literals and copies that overlap themselves", () => {
    expect(new TextDecoder().decode(unpackBlock(hex(BLOCK)))).toBe("abcdabcdabcd");
    expect(new TextDecoder().decode(unpackBlock(hex("0c 0c 61626364 1e 0400")))).toBe("abcdabcdabcd");
    expect(new TextDecoder().decode(unpackBlock(hex("0c 0c 61626364 1f 04000000")))).toBe("abcdabcdabcd");
    expect(new TextDecoder().decode(unpackBlock(hex("04 f0 03 61626364")))).toBe("abcd");
    expect(unpackBlock(hex("00")).length).toBe(0);
  });

  test("unpacks a stream however it is cut into pieces", async () => {
    const stream = hex(`${HEADER} 00000008 ${BLOCK} 00000008 ${BLOCK}`);
    for (const pieceBytes of [1, 3, 16, 100]) expect(await unpack(stream, pieceBytes)).toBe("abcdabcdabcdabcdabcdabcd");
  });

  test("refuses what is out of bounds", () => {
    const refused = [
      "0c 0c 6162", // a literal longer than the block
      "03 0c 61626364", // longer than what is to come out
      "0c 0c 61626364 11 05", // a copy from before the beginning
      "0c 0c 61626364 11 00", // a copy from nowhere
      "08 0c 61626364 1d 04", // a copy beyond the end
      "0d 0c 61626364 11 04", // fewer bytes than promised
      "0c fc", // a tag without its length
      "0c fc ffffffff 61", // a literal of 4 GiB
      "", // no length
      "ffffffffff01", // a length of 64 bits
      "ffffff7f 00", // a length beyond any block
    ];
    for (const block of refused) expect(() => unpackBlock(hex(block)), block).toThrow(CompressionError);
  });

  test("ends on any bytes", () => {
    const random = new SeededRandom(5);
    for (let i = 0; i < 20_000; i++) {
      const block = Uint8Array.from({ length: 2 + random.below(40) }, () => random.below(256));
      block[0] = random.below(128);
      try {
        expect(unpackBlock(block).length).toBe(block[0]);
      } catch (error) {
        expect(error).toBeInstanceOf(CompressionError);
      }
    }
  });

  test("refuses a stream without its header, with a length below zero, or cut within a block", async () => {
    await expect(unpack(hex("82534e4150505901 00000001 00000001"))).rejects.toThrow("header");
    await expect(unpack(hex("8253"))).rejects.toBeInstanceOf(CompressionError);
    await expect(unpack(hex(`${HEADER} ffffffff`))).rejects.toThrow("gives its length as -1");
    await expect(unpack(hex(`${HEADER} 00000009 ${BLOCK}`))).rejects.toThrow("ends within a snappy block");
    await expect(unpack(hex(`${HEADER} 0000`))).rejects.toThrow("ends within a snappy block");
  });
});
