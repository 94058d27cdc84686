import { describe, expect, test } from "vitest";
import { adler32 } from "../../src/storage/adler32.js";
import { noise } from "./txns.js";

/** The definition, without any cleverness. */
function obvious(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

describe("adler32", () => {
  test("is the checksum everybody knows", () => {
    expect(adler32(new TextEncoder().encode("Wikipedia"), 0, 9)).toBe(0x11e60398);
    expect(adler32(new Uint8Array(0), 0, 0)).toBe(1);
  });

  test("agrees with the definition at every length around its blocks, on the largest bytes too", () => {
    for (const length of [1, 7, 8, 9, 3791, 3792, 3793, 7584, 7585, 100_000]) {
      for (const bytes of [noise(length), new Uint8Array(length).fill(255)]) {
        expect(adler32(bytes, 0, length)).toBe(obvious(bytes));
      }
    }
  });

  test("goes on from the checksum of what came before", () => {
    const bytes = noise(10_000);
    for (const cut of [0, 1, 13, 3792, 9_999]) {
      expect(adler32(bytes, cut, bytes.length, adler32(bytes, 0, cut))).toBe(obvious(bytes));
    }
  });
});
