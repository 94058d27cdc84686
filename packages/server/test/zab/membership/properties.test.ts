import { expect, test } from "vitest";
import { PropertiesError, parseProperties } from "../../../src/zab/index.js";

function pairs(text: string): [string, string][] {
  return parseProperties(text).map(({ key, value }) => [key, value]);
}

test.each([
  ["a=b", "a", "b"],
  ["a = b", "a", "b"],
  ["a:b", "a", "b"],
  ["a : b", "a", "b"],
  ["a b", "a", "b"],
  ["a\t\f b", "a", "b"],
  ["  a=b", "a", "b"],
  ["a==b", "a", "=b"],
  ["a= =b", "a", "=b"],
  ["a=b c # d", "a", "b c # d"],
  ["a", "a", ""],
  ["a=", "a", ""],
  ["=b", "", "b"],
  ["a=b   ", "a", "b"],
  ["server.1=host:2888:3888", "server.1", "host:2888:3888"],
])("the entry %j is the key %j with the value %j", (line, key, value) => {
  expect(pairs(line)).toEqual([[key, value]]);
});

test.each([
  ["a\\=b=c", "a=b", "c"],
  ["a\\:b c", "a:b", "c"],
  ["a\\ b=c", "a b", "c"],
  ["a=C:\\\\data", "a", "C:\\data"],
  ["a=C:\\data", "a", "C:data"],
  ["a=x\\ty\\nz", "a", "x\ty\nz"],
  ["a=\\u0041\\u00e9", "a", "Aé"],
])("escapes: %j is the key %j with the value %j", (line, key, value) => {
  expect(pairs(line)).toEqual([[key, value]]);
});

test("comments and blank lines say nothing, also with blanks before the mark", () => {
  expect(pairs("# a=1\n! b=2\n\n  \t\n   # c=3\nd=4")).toEqual([["d", "4"]]);
});

test("a comment does not go on at a backslash", () => {
  expect(pairs("# comment \\\na=1")).toEqual([["a", "1"]]);
});

test("a backslash at the end continues a line without the next one's leading blanks, even before a #", () => {
  expect(pairs("a=1,\\\n    2,\\\n\t3\nb=x\\\n#y")).toEqual([
    ["a", "1,2,3"],
    ["b", "x#y"],
  ]);
});

test("two backslashes at the end are one backslash and no continuation", () => {
  expect(pairs("a=1\\\\\nb=2")).toEqual([
    ["a", "1\\"],
    ["b", "2"],
  ]);
});

test("a line of one backslash says nothing, and the next line begins anew", () => {
  expect(pairs("\\\n# comment\n  \\\na=1")).toEqual([["a", "1"]]);
});

test("a backslash at the end of the text is dropped", () => {
  expect(pairs("a=1\\")).toEqual([["a", "1"]]);
});

test("lines end as on any system, and entries keep the line they begin on", () => {
  const entries = parseProperties("# one\r\na=1\rb=\\\n  2\n\nc=3\r\n");
  expect(entries).toEqual([
    { key: "a", value: "1", line: 2 },
    { key: "b", value: "2", line: 3 },
    { key: "c", value: "3", line: 6 },
  ]);
});

test("a key that stands twice is there twice, in order, for the reader to take the last", () => {
  expect(pairs("a=1\na=2")).toEqual([
    ["a", "1"],
    ["a", "2"],
  ]);
});

test.each(["a=\\u12", "a=\\uzzzz", "ok=1\na=\\u"])("a broken unicode escape in %j names its line", (text) => {
  expect(() => parseProperties(text)).toThrow(PropertiesError);
  expect(() => parseProperties(text)).toThrow(`line ${text.split("\n").length}:`);
});
