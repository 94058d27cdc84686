import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter, decodeText, encodeText, textBytes } from "../../src/index.js";

/** As Java's DataOutput and old clients write text: each UTF-16 unit by itself. */
function cesu8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Uint8Array.from(bytes);
}

const texts = fc.oneof(fc.string({ unit: "binary", maxLength: 100 }), fc.string({ unit: "grapheme", maxLength: 100 }));

test("text is written as UTF-8 and read back, short or long", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = encodeText(text);
      expect(Buffer.from(bytes)).toEqual(Buffer.from(text));
      expect(textBytes(text)).toBe(bytes.length);
      expect(decodeText(bytes, 0, bytes.length)).toBe(text);
      const writer = new ByteWriter(1);
      writer.ustring(text);
      expect(new ByteReader(writer.view()).ustring()).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test("CESU-8 is read as the same text", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = cesu8(text);
      expect(decodeText(bytes, 0, bytes.length)).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test("CESU-8 and UTF-8 may stand side by side", () => {
  const bytes = Uint8Array.of(...cesu8("a\u{1F600}"), ...encodeText("ä\u{1F601}"), ...cesu8("\u{1F602}"));
  expect(decodeText(bytes, 0, bytes.length)).toBe("a\u{1F600}ä\u{1F601}\u{1F602}");
});

test("text is read from its place alone, whatever stands behind it", () => {
  const whole = Uint8Array.of(0xed, 0xa0, 0xbd, 0x61, 0xed, 0xb8, 0x80);
  expect(decodeText(whole, 3, 4)).toBe("a");
  expect(decodeText(Uint8Array.of(0x61, 0xed, 0xa0, 0x80), 0, 2)).toBe("a\ufffd");
});

describe("bytes that are no text", () => {
  test("are read without an error, and what is malformed as U+FFFD", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(typeof decodeText(bytes, 0, bytes.length)).toBe("string");
      }),
    );
    expect(decodeText(Uint8Array.of(0x61, 0xff, 0x62), 0, 3)).toBe("a\ufffdb");
  });

  test("a byte order mark is a character like any other", () => {
    expect(decodeText(encodeText("\ufeffa"), 0, 4)).toBe("\ufeffa");
  });
});

test.for([
  ["\ud83d", "\ufffd"],
  ["a\ud83d", "a\ufffd"],
  ["\ude00b", "\ufffdb"],
  ["\ud83d\ud83d\ude00", "\ufffd\u{1f600}"],
] as const)("half a surrogate pair is counted and written as U+FFFD: %j", ([text, written]) => {
  const writer = new ByteWriter();
  writer.ustring(text);
  expect(writer.length - 4).toBe(textBytes(text));
  expect(new ByteReader(writer.view()).ustring()).toBe(written);
});
