import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ByteReader,
  ByteWriter,
  bool,
  buffer,
  byte,
  type Field,
  int,
  long,
  nullableBuffer,
  nullableUstring,
  nullableVector,
  operations,
  RECORD_SLOTS_MAX,
  record,
  ustring,
  vector,
  WireError,
} from "../../src/index.js";

/** A field of any kind with a value of it. */
interface Case {
  readonly field: Field<unknown>;
  readonly value: unknown;
}

// Whole text only: half a surrogate pair has no UTF-8 form and is written as U+FFFD.
const text = fc.string({ unit: "binary", maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 60 });
const of = <T>(field: Field<T>, values: fc.Arbitrary<T>): fc.Arbitrary<Case> =>
  values.map((value) => ({ field: field as Field<unknown>, value }));

const leaves: fc.Arbitrary<Case>[] = [
  of(byte, fc.integer({ min: 0, max: 255 })),
  of(bool, fc.boolean()),
  of(int, fc.integer()),
  of(long, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  of(ustring, text),
  of(nullableUstring, fc.option(text)),
  of(buffer, bytes),
  of(nullableBuffer, fc.option(bytes)),
  of(vector(ustring), fc.array(text, { maxLength: 5 })),
  of(nullableVector(int), fc.option(fc.array(fc.integer(), { maxLength: 5 }))),
];

/** A record of up to eight fields, records and vectors of records among them. */
const records: fc.Arbitrary<Case> = fc.array(fc.oneof(...leaves), { minLength: 1, maxLength: 8 }).chain((cases) => {
  const inner = record("Inner", Object.fromEntries(cases.map(({ field }, i) => [`f${i}`, field])));
  const value = Object.fromEntries(cases.map((one, i) => [`f${i}`, one.value]));
  return fc.constantFrom<Case>(
    { field: inner as Field<unknown>, value },
    {
      field: record("Outer", { before: int, inner, after: bool }) as Field<unknown>,
      value: { before: 7, inner: value, after: true },
    },
    { field: record("List", { list: vector(inner) }) as Field<unknown>, value: { list: [value, value] } },
  );
});
const cases = fc.oneof(...leaves, records);

function encoded({ field, value }: Case): Uint8Array {
  const writer = new ByteWriter(1);
  field.encode(writer, value);
  return writer.view().slice();
}

test("what is encoded decodes to the same, and takes as many bytes as size says", () => {
  fc.assert(
    fc.property(cases, (one) => {
      const bytes = encoded(one);
      expect(one.field.size(one.value)).toBe(bytes.length);
      expect(one.field.bytesMin).toBeLessThanOrEqual(bytes.length);
      const reader = new ByteReader(bytes);
      expect(one.field.decode(reader)).toEqual(one.value);
      expect(reader.remaining).toBe(0);
    }),
    { numRuns: 400 },
  );
});

test("a scan goes exactly as far as a decode, wherever the bytes lie", () => {
  fc.assert(
    fc.property(cases, fc.nat({ max: 9 }), (one, offset) => {
      fc.pre(one.field.slotCount <= RECORD_SLOTS_MAX);
      const plain = encoded(one);
      const shifted = new Uint8Array(plain.length + offset + 3).fill(0xee);
      shifted.set(plain, offset);
      const reader = new ByteReader(shifted, offset);
      one.field.scan(reader, new Int32Array(RECORD_SLOTS_MAX), 0);
      expect(reader.position).toBe(offset + plain.length);
    }),
    { numRuns: 400 },
  );
});

test("bytes that end anywhere before the end are refused, by decode and scan alike, with nothing else thrown", () => {
  fc.assert(
    fc.property(cases, fc.nat(), (one, cut) => {
      const bytes = encoded(one);
      fc.pre(bytes.length > 0);
      const torn = bytes.subarray(0, cut % bytes.length);
      expect(() => one.field.decode(new ByteReader(torn))).toThrow(WireError);
      expect(() => one.field.scan(new ByteReader(torn), new Int32Array(RECORD_SLOTS_MAX), 0)).toThrow(WireError);
    }),
    { numRuns: 400 },
  );
});

test("any bytes at all decode or are refused, and decode and scan agree on which", () => {
  const requests = Object.values(operations).flatMap(({ request }) => (request === null ? [] : [request]));
  const outcome = (attempt: () => void): boolean => {
    try {
      attempt();
      return true;
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  };
  fc.assert(
    fc.property(fc.constantFrom(...requests), fc.uint8Array({ maxLength: 120 }), (request, bytes) => {
      const field = request as unknown as Field<unknown>;
      const decodes = outcome(() => field.decode(new ByteReader(bytes)));
      const scans = outcome(() => field.scan(new ByteReader(bytes), new Int32Array(RECORD_SLOTS_MAX), 0));
      expect(scans).toBe(decodes);
    }),
    { numRuns: 3000 },
  );
});

describe("slots", () => {
  test("say where each field lies", () => {
    const sample = record("Sample", { i: int, l: long, s: ustring, none: nullableBuffer, v: vector(int), b: bool });
    const writer = new ByteWriter();
    sample.encode(writer, { i: -3, l: -(2n ** 40n) + 5n, s: "abc", none: null, v: [1, 2], b: true });
    const slots = new Int32Array(RECORD_SLOTS_MAX);
    sample.scan(new ByteReader(writer.view()), slots, 0);
    const pair = (name: keyof typeof sample.slots): number[] => [
      slots[sample.slots[name]]!,
      slots[sample.slots[name] + 1]!,
    ];
    expect(pair("i")[0]).toBe(-3);
    expect(pair("l")).toEqual([-256, 5]);
    expect(pair("s")).toEqual([16, 3]);
    expect(pair("none")[1]).toBe(-1);
    expect(pair("v")).toEqual([27, 2]);
    expect(pair("b")[0]).toBe(1);
  });

  test("are never more than a scan's array holds: such a record cannot be declared", () => {
    const fields = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`f${i}`, int]));
    expect(() => record("TooWide", fields)).toThrow(/slots/);
  });
});

describe("lengths and counts from strangers", () => {
  const reader = (...ints: number[]): ByteReader => {
    const writer = new ByteWriter();
    for (const one of ints) writer.int(one);
    return new ByteReader(writer.view());
  };

  test.for([2 ** 31 - 1, 5, -2, -(2 ** 31)])("a string or buffer of %i bytes in 4 is refused", (length) => {
    expect(() => ustring.decode(reader(length, 0))).toThrow(WireError);
    expect(() => nullableBuffer.decode(reader(length, 0))).toThrow(WireError);
  });

  test.for([2 ** 31 - 1, 3])("a vector of %i ints in 8 bytes is refused before anything is made for it", (count) => {
    expect(() => vector(int).decode(reader(count, 1, 2))).toThrow(WireError);
  });

  test("a vector's count below -1 is read as none, as Java does; -1 is null", () => {
    expect(nullableVector(int).decode(reader(-7))).toEqual([]);
    expect(nullableVector(int).decode(reader(-1))).toBeNull();
    expect(() => vector(int).decode(reader(-1))).toThrow(WireError);
    expect(() => ustring.decode(reader(-1))).toThrow(WireError);
  });
});
