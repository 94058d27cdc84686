import { describe, expect, test } from "vitest";
import {
  ERR,
  errorCodes,
  errorName,
  OP,
  operationName,
  operations,
  STAT_BYTES,
  STAT_OFFSETS,
  stat,
} from "../src/index.js";

describe("the table of operations", () => {
  const entries = Object.entries(operations);

  test("gives each opcode one name", () => {
    expect(new Set(entries.map(([, { opcode }]) => opcode)).size).toBe(entries.length);
    for (const [name, { opcode }] of entries) {
      expect(operationName(opcode)).toBe(name);
      expect(OP[name as keyof typeof OP]).toBe(opcode);
    }
    expect(operationName(10)).toBeUndefined();
  });
});

describe("the table of errors", () => {
  const entries = Object.entries(errorCodes);

  test("gives each code one name", () => {
    expect(new Set(entries.map(([, { code }]) => code)).size).toBe(entries.length);
    for (const [name, { code }] of entries) {
      expect(errorName(code)).toBe(name);
      expect(ERR[name as keyof typeof ERR]).toBe(code);
    }
    expect(errorName(-9999)).toBeUndefined();
  });
});

test("the places of a Stat's fields are those of its record", () => {
  let at = 0;
  for (const [name, field] of Object.entries(stat.fields)) {
    expect(STAT_OFFSETS[name as keyof typeof STAT_OFFSETS], name).toBe(at);
    at += field.bytesMin;
  }
  expect(STAT_BYTES).toBe(at);
});
