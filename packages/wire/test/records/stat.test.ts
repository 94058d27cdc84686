import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, operations, STAT_BYTES } from "../../src/index.js";

test("a Stat is decoded by hand as its declaration would decode it, whatever its bytes", () => {
  const { stat } = operations.exists.response.fields;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: STAT_BYTES, maxLength: STAT_BYTES }), (bytes) => {
      const reader = new ByteReader(bytes);
      const declared = Object.entries(stat.fields).map(([name, field]) => [name, field.decode(reader)]);
      expect(Object.entries(stat.decode(new ByteReader(bytes)))).toEqual(declared);
    }),
  );
});
