import type { ByteReader } from "../bytes/reader.js";
import { textBytes } from "../bytes/text.js";
import { WireError } from "../bytes/wire-error.js";
import type { ByteWriter } from "../bytes/writer.js";

/**
 * The record kit: a record is declared once, and its type, encoder, decoder, size and documentation
 * all come from that declaration.
 *
 * There are two ways to read one. `decode` makes a value, for code that wants to hold it. `scan` only
 * checks the bytes and notes where each field lies, two numbers a field, in an `Int32Array`: the
 * server's hot path works on the input in place and allocates nothing.
 *
 * | field | first slot | second slot |
 * | --- | --- | --- |
 * | bool, byte, int | the value | 0 |
 * | long | high half | low half |
 * | ustring, buffer | where its bytes start | their count, -1 for null |
 * | vector | where its first element starts | the count, -1 for null |
 * | record | its fields' slots, one after the other | |
 */
/** No record fills more slots: the size of an array that takes any scan. */
export const RECORD_SLOTS_MAX = 32;

export interface Field<T> {
  /** The jute type, as documentation shows it. */
  readonly type: string;
  /** No encoding of it is shorter than this: bounds the count of a vector before it is read. */
  readonly bytesMin: number;
  /** How many slots a scan fills. */
  readonly slotCount: number;
  decode(reader: ByteReader): T;
  encode(writer: ByteWriter, value: T): void;
  size(value: T): number;
  scan(reader: ByteReader, slots: Int32Array, slot: number): void;
}

export type ValueOf<F> = F extends Field<infer T> ? T : never;

export const byte: Field<number> = {
  type: "byte",
  bytesMin: 1,
  slotCount: 2,
  decode: (reader) => reader.byte(),
  encode: (writer, value) => writer.byte(value),
  size: () => 1,
  scan(reader, slots, slot) {
    slots[slot] = reader.byte();
    slots[slot + 1] = 0;
  },
};

export const bool: Field<boolean> = {
  type: "boolean",
  bytesMin: 1,
  slotCount: 2,
  decode: (reader) => reader.bool(),
  encode: (writer, value) => writer.bool(value),
  size: () => 1,
  scan(reader, slots, slot) {
    slots[slot] = reader.bool() ? 1 : 0;
    slots[slot + 1] = 0;
  },
};

export const int: Field<number> = {
  type: "int",
  bytesMin: 4,
  slotCount: 2,
  decode: (reader) => reader.int(),
  encode: (writer, value) => writer.int(value),
  size: () => 4,
  scan(reader, slots, slot) {
    slots[slot] = reader.int();
    slots[slot + 1] = 0;
  },
};

export const long: Field<bigint> = {
  type: "long",
  bytesMin: 8,
  slotCount: 2,
  decode: (reader) => reader.long(),
  encode: (writer, value) => writer.long(value),
  size: () => 8,
  scan(reader, slots, slot) {
    slots[slot] = reader.int();
    slots[slot + 1] = reader.int();
  },
};

function scanBytes(reader: ByteReader, slots: Int32Array, slot: number): void {
  const length = reader.length();
  slots[slot] = reader.position;
  slots[slot + 1] = length;
  if (length > 0) reader.skip(length);
}

export const nullableUstring: Field<string | null> = {
  type: "ustring or null",
  bytesMin: 4,
  slotCount: 2,
  decode: (reader) => reader.ustring(),
  encode: (writer, value) => writer.ustring(value),
  size: (value) => 4 + (value === null ? 0 : textBytes(value)),
  scan: scanBytes,
};

export const nullableBuffer: Field<Uint8Array | null> = {
  type: "buffer or null",
  bytesMin: 4,
  slotCount: 2,
  decode: (reader) => reader.buffer(),
  encode: (writer, value) => writer.buffer(value),
  size: (value) => 4 + (value === null ? 0 : value.length),
  scan: scanBytes,
};

function present<T>(field: Field<T | null>, type: string): Field<T> {
  return {
    type,
    bytesMin: field.bytesMin,
    slotCount: 2,
    decode(reader) {
      const value = field.decode(reader);
      if (value === null) throw new WireError(`${type} expected before ${reader.position}, null found`);
      return value;
    },
    encode: (writer, value) => field.encode(writer, value),
    size: (value) => field.size(value),
    scan(reader, slots, slot) {
      field.scan(reader, slots, slot);
      if (slots[slot + 1] === -1) throw new WireError(`${type} expected before ${reader.position}, null found`);
    },
  };
}

export const ustring: Field<string> = present(nullableUstring, "ustring");
export const buffer: Field<Uint8Array> = present(nullableBuffer, "buffer");

export function nullableVector<T>(element: Field<T>): Field<T[] | null> {
  // Elements are scanned only for their bounds, all into the same slots: those of the widest record.
  const scratch = new Int32Array(RECORD_SLOTS_MAX);
  return {
    type: `vector of ${element.type}, or null`,
    bytesMin: 4,
    slotCount: 2,
    decode(reader) {
      const count = reader.count(element.bytesMin);
      if (count < 0) return null;
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(element.decode(reader));
      return values;
    },
    encode(writer, values) {
      writer.int(values === null ? -1 : values.length);
      for (const value of values ?? []) element.encode(writer, value);
    },
    size: (values) => (values ?? []).reduce((sum, value) => sum + element.size(value), 4),
    scan(reader, slots, slot) {
      const count = reader.count(element.bytesMin);
      slots[slot] = reader.position;
      slots[slot + 1] = count;
      for (let i = 0; i < count; i++) element.scan(reader, scratch, 0);
    },
  };
}

export function vector<T>(element: Field<T>): Field<T[]> {
  return present(nullableVector(element), `vector of ${element.type}`);
}

// biome-ignore lint/suspicious/noExplicitAny: a field both takes and gives its value, so no narrower type fits all fields
type FieldTable = Readonly<Record<string, Field<any>>>;
type RecordValue<F extends FieldTable> = { -readonly [K in keyof F]: ValueOf<F[K]> };

export interface RecordType<F extends FieldTable> extends Field<RecordValue<F>> {
  readonly name: string;
  readonly fields: F;
  /** The first slot of each field after a `scan` at slot 0. */
  readonly slots: { readonly [K in keyof F]: number };
}

/** Any record, where only its shape matters: tables of operations, documentation, bounds checks. */
export interface AnyRecord {
  readonly name: string;
  readonly fields: Readonly<Record<string, { readonly type: string }>>;
  scan(reader: ByteReader, slots: Int32Array, slot: number): void;
}

/**
 * Declares a record: its name and its fields in wire order. One that is decoded very often may bring a
 * decoder written by hand, which takes a third of the time; it reads the same fields in the same order.
 */
export function record<F extends FieldTable>(
  name: string,
  fields: F,
  decodeFast?: (reader: ByteReader) => RecordValue<F>,
): RecordType<F> {
  const names = Object.keys(fields);
  const list: Field<unknown>[] = Object.values(fields);
  const slots: Record<string, number> = {};
  let slotCount = 0;
  for (let i = 0; i < list.length; i++) {
    slots[names[i]!] = slotCount;
    slotCount += list[i]!.slotCount;
  }
  if (slotCount > RECORD_SLOTS_MAX) throw new Error(`record ${name} needs more than ${RECORD_SLOTS_MAX} slots`);

  return {
    name,
    type: name,
    fields,
    slots: slots as { readonly [K in keyof F]: number },
    slotCount,
    bytesMin: list.reduce((sum, field) => sum + field.bytesMin, 0),
    decode:
      decodeFast ??
      ((reader) => {
        const value: Record<string, unknown> = {};
        for (let i = 0; i < list.length; i++) value[names[i]!] = list[i]!.decode(reader);
        return value as RecordValue<F>;
      }),
    encode(writer, value) {
      const values = value as Record<string, unknown>;
      for (let i = 0; i < list.length; i++) list[i]!.encode(writer, values[names[i]!]);
    },
    size(value) {
      const values = value as Record<string, unknown>;
      let size = 0;
      for (let i = 0; i < list.length; i++) size += list[i]!.size(values[names[i]!]);
      return size;
    },
    scan(reader, into, slot) {
      let at = slot;
      for (let i = 0; i < list.length; i++) {
        const field = list[i]!;
        field.scan(reader, into, at);
        at += field.slotCount;
      }
    },
  };
}
