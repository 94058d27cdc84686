import { expect, test } from "vitest";
import { dataFields, hex, printable } from "../../src/cli/output.js";

test("data that is text is shown as text, any other in base64, null as null", () => {
  expect(dataFields(Buffer.from("héllo"))).toEqual({ data: "héllo", encoding: "utf8" });
  expect(dataFields(Uint8Array.of(0xff, 0xfe, 0))).toEqual({ data: "//4A", encoding: "base64" });
  expect(dataFields(new Uint8Array(0))).toEqual({ data: "", encoding: "utf8" });
  expect(dataFields(null)).toEqual({ data: null, encoding: "utf8" });
});

test("a byte order mark is data, not decoration", () => {
  expect(dataFields(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)).data).toBe("\ufeffa");
});

test("session ids are unsigned in hex", () => {
  expect([hex(0x0100_0000_0000_0001n), hex(-2n)]).toEqual(["0x100000000000001", "0xfffffffffffffffe"]);
});

test("names cannot write on the terminal", () => {
  expect(printable("a\u001b[2Jé\u009b")).toBe("a\\x1b[2Jé\\x9b");
});
