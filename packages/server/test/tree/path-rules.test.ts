import { describe, expect, test } from "vitest";
import { hasNul, hasSlashAndNoNul, isValidPath, lastSlash } from "../../src/tree/index.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const isValid = (text: string): boolean => isValidPath(encode(text), 0, encode(text).length);

describe("a path is valid", () => {
  test.for(["/", "/a", "/a/b", "/...", "/..b", "/.a", "/a.", "/a/...", "/ ", "/a b", "/größe", "/日本", "/-", "/a:b"])(
    "%j",
    (path) => expect(isValid(path)).toBe(true),
  );
});

describe("a path is invalid", () => {
  test.for([
    ["", "it is empty"],
    ["a", "it does not start with a slash"],
    ["a/b", "it does not start with a slash"],
    ["/a/", "it ends with one"],
    ["//", "it ends with one"],
    ["//a", "a component is empty"],
    ["/a//b", "a component is empty"],
    ["/.", "a component is a dot"],
    ["/..", "a component is two dots"],
    ["/a/./b", "a component is a dot"],
    ["/a/../b", "a component is two dots"],
    ["/a/..", "a component is two dots"],
    ["/\u{1F600}", "above U+FFFF there are surrogates in Java"],
  ])("%j: %s", ([path]) => expect(isValid(path!)).toBe(false));
});

describe("the boundaries of forbidden characters", () => {
  test.for([
    [0x01, false],
    [0x1f, false],
    [0x20, true],
    [0x7e, true],
    [0x7f, false],
    [0x80, false],
    [0x9f, false],
    [0xa0, true],
    [0x7ff, true],
    [0x800, true],
    [0xd7ff, true],
    [0xe000, false],
    [0xf8ff, false],
    [0xf900, true],
    [0xfeff, true],
    [0xffef, true],
    [0xfff0, false],
    [0xfffd, false],
    [0xffff, false],
    [0x10000, false],
  ] as const)("U+%s", ([code, valid]) => {
    const character = String.fromCodePoint(code);
    for (const path of [`/${character}`, `/a${character}b`, `/a/${character}/b`]) {
      expect(isValid(path), path).toBe(valid);
    }
  });

  test("NUL, and bytes that are no UTF-8, make a path invalid wherever they stand", () => {
    for (const bad of [
      [0x00],
      [0x80],
      [0xc0, 0x80],
      [0xc1, 0xbf],
      [0xc3],
      [0xe0, 0x80, 0x80],
      [0xe2, 0x82],
      [0xe2, 0x28, 0xa1],
      [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], // CESU-8, as Java writes a character above U+FFFF
      [0xf0, 0x9f, 0x98, 0x80],
      [0xff],
    ]) {
      for (const path of [
        [0x2f, ...bad],
        [0x2f, 0x61, ...bad, 0x62],
        [0x2f, ...bad, 0x2f, 0x62],
      ]) {
        expect(isValidPath(Uint8Array.from(path), 0, path.length), path.join(" ")).toBe(false);
      }
    }
  });

  test("a character is never completed by what stands behind the path", () => {
    const bytes = Uint8Array.of(0x2f, 0xc3, 0xa4, 0x2f);
    expect(isValidPath(bytes, 0, 3)).toBe(true);
    expect(isValidPath(bytes, 0, 2)).toBe(false);
  });
});

test("before all else create and delete ask for a slash and no NUL", () => {
  const ask = (text: string): boolean => hasSlashAndNoNul(encode(text), 0, encode(text).length);
  expect([ask("/a"), ask("a/"), ask("a"), ask(""), ask("/a\0"), ask("\0/")]).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect([hasNul(encode("/a\0"), 0, 3), hasNul(encode("/a\0"), 0, 2)]).toEqual([true, false]);
});

test("the parent stands before the last slash", () => {
  const parent = (text: string): string => text.slice(0, lastSlash(encode(text), 0, text.length));
  expect([parent("/a"), parent("/a/b"), parent("/a/b/c"), parent("//a")]).toEqual(["", "/a", "/a/b", "/"]);
});
