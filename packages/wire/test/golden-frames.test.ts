import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type AnyRecord,
  ByteReader,
  ByteWriter,
  connectRequest,
  connectRequestReadOnly,
  connectResponse,
  connectResponseReadOnly,
  create2Response,
  createResponse,
  errorResponse,
  type Field,
  getChildrenResponse,
  getDataResponse,
  multiHeader,
  OP,
  operationName,
  operations,
  replyHeader,
  requestHeader,
  saslResponse,
  statResponse,
  WireError,
  watcherEvent,
} from "../src/index.js";

/**
 * Frames recorded between real clients and Apache's server (test/golden), with what a reader that
 * shares no code with this package made of them.
 */
interface Specimen {
  readonly name: string;
  readonly op: string;
  readonly opcode: number | null;
  readonly direction: "request" | "reply" | "notification" | "connect-request" | "connect-response";
  readonly hex: string;
  readonly value: { readonly header?: object; readonly body: unknown; readonly trailing?: { readonly hex: string } };
  readonly reencodes?: false;
  readonly wellFormed?: false;
}

const file = new URL("../../../test/golden/client-protocol.json", import.meta.url);
const { captured } = JSON.parse(readFileSync(file, "utf8")) as { captured: Specimen[] };
const specimens = captured.map((one): [string, Specimen] => [one.name, one]);

/** A decoded value as the recording writes it: longs as decimal strings, buffers as hex. */
function recorded(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(recorded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, recorded(field)]));
}

/** One direction of a body: decodes from the reader, encodes what was decoded. */
interface Codec {
  decode(reader: ByteReader): unknown;
  encode(writer: ByteWriter, value: unknown): void;
}

const EMPTY: Codec = { decode: () => ({}), encode: () => {} };
const codec = (record: AnyRecord | null): Codec => (record === null ? EMPTY : (record as unknown as Field<unknown>));

interface MultiPart {
  readonly header: { type: number; done: boolean; err: number };
  readonly body: unknown;
}

const RESULTS = new Map<number, Codec>([
  [OP.create, codec(createResponse)],
  [OP.create2, codec(create2Response)],
  [OP.setData, codec(statResponse)],
  [OP.getData, codec(getDataResponse)],
  [OP.getChildren, codec(getChildrenResponse)],
  [OP.error, codec(errorResponse)],
]);

const partOf = (type: number, isRequest: boolean): Codec =>
  isRequest ? codec(operations[operationName(type)!].request) : (RESULTS.get(type) ?? EMPTY);

function multiCodec(isRequest: boolean): Codec {
  return {
    decode(reader) {
      const ops: MultiPart[] = [];
      for (;;) {
        const header = multiHeader.decode(reader);
        if (header.done) return { ops };
        ops.push({ header, body: partOf(header.type, isRequest).decode(reader) });
      }
    },
    encode(writer, value) {
      for (const { header, body } of (value as { ops: MultiPart[] }).ops) {
        multiHeader.encode(writer, header);
        partOf(header.type, isRequest).encode(writer, body);
      }
      multiHeader.encode(writer, { type: -1, done: true, err: -1 });
    },
  };
}

function bodyCodec({ op, direction, value }: Specimen): Codec {
  if (direction === "notification") return codec(watcherEvent);
  const isRequest = direction === "request";
  // A reply that is an error is its header alone, save for what the recording shows.
  if (value.body === null) return { decode: () => null, encode: () => {} };
  if (op === "multi" || op === "multiRead") return multiCodec(isRequest);
  if (op === "sasl" && !isRequest) return codec(saslResponse);
  const entry = operations[op as keyof typeof operations];
  return codec(isRequest ? entry.request : entry.response);
}

function connectCodec({ direction, hex }: Specimen): Codec {
  const isLong = hex.length / 2 === (direction === "connect-request" ? 45 : 37);
  if (direction === "connect-request") {
    const passwordBytes = Buffer.from(hex, "hex").readInt32BE(24);
    return codec(hex.length / 2 > 28 + Math.max(0, passwordBytes) ? connectRequestReadOnly : connectRequest);
  }
  return codec(isLong ? connectResponseReadOnly : connectResponse);
}

function frameCodec(specimen: Specimen): { header: Codec | undefined; body: Codec } {
  if (specimen.op === "connect") return { header: undefined, body: connectCodec(specimen) };
  return { header: codec(specimen.direction === "request" ? requestHeader : replyHeader), body: bodyCodec(specimen) };
}

/** Null where Apache's classes can hold it and its server then cannot: answered with -5, which is what not decoding means here. */
const NULL_REFUSED = new Set(["raw-get-data-null-path-request", "raw-set-watches-null-vectors-request"]);

const wellFormed = specimens.filter(([name, one]) => one.wellFormed !== false && !NULL_REFUSED.has(name));
const malformed = specimens.filter(([, one]) => one.wellFormed === false);

test.for(wellFormed)("%s", ([, specimen]) => {
  const bytes = Uint8Array.from(Buffer.from(specimen.hex, "hex"));
  const reader = new ByteReader(bytes);
  const { header, body } = frameCodec(specimen);

  const headerValue = header?.decode(reader);
  const bodyValue = body.decode(reader);

  if (header !== undefined) expect(recorded(headerValue)).toEqual(specimen.value.header);
  expect(recorded(bodyValue)).toEqual(specimen.value.body);
  const trailing = Buffer.from(bytes.subarray(reader.position)).toString("hex");
  expect(trailing).toBe(specimen.value.trailing?.hex ?? "");

  const writer = new ByteWriter(1);
  header?.encode(writer, headerValue);
  body.encode(writer, bodyValue);
  const encoded = Buffer.from(writer.view()).toString("hex") + trailing;
  if (specimen.reencodes === false) expect(encoded).not.toBe(specimen.hex);
  else expect(encoded).toBe(specimen.hex);
});

describe("what a server refuses", () => {
  test.for(malformed)("%s cannot be decoded", ([, specimen]) => {
    const reader = new ByteReader(Uint8Array.from(Buffer.from(specimen.hex, "hex")));
    expect(recorded(requestHeader.decode(reader))).toEqual(specimen.value.header);
    const isServed =
      specimen.op !== "unknown" && operations[specimen.op as keyof typeof operations].kind !== "internal";
    if (isServed) expect(() => bodyCodec(specimen).decode(reader)).toThrow(WireError);
    else expect(["unknown", "deleteContainer"]).toContain(specimen.op);
  });
});

describe("null where none may be", () => {
  test.for([...NULL_REFUSED])("%s is refused, as Apache's server did", (name) => {
    const specimen = captured.find((one) => one.name === name)!;
    const reader = new ByteReader(Uint8Array.from(Buffer.from(specimen.hex, "hex")), 8);
    expect(() => bodyCodec(specimen).decode(reader)).toThrow(WireError);
    const reply = captured.find((one) => one.name === name.replace(/request$/, "reply"))!;
    expect(reply.value.header).toMatchObject({ err: -5 });
  });
});

describe("the recording", () => {
  const directionsOf = (name: string): Set<string> =>
    new Set(wellFormed.filter(([, one]) => one.op === name).map(([, one]) => one.direction));

  /** Of the operations table, what a client may send: everything that servers do not keep to themselves. */
  const sendable = Object.entries(operations)
    .filter(([, entry]) => entry.kind !== "internal")
    .map(([name]) => name);

  test.for(sendable)("holds %s in both directions", (name) => {
    expect(directionsOf(name)).toEqual(new Set(["request", "reply"]));
  });

  test("holds handshakes and notifications of all four kinds", () => {
    expect(directionsOf("connect")).toEqual(new Set(["connect-request", "connect-response"]));
    const kinds = new Set(
      captured
        .filter((one) => one.direction === "notification")
        .map((one) => (one.value.body as { type: number }).type),
    );
    expect(kinds).toEqual(new Set([1, 2, 3, 4]));
  });

  test("knows no opcode that the table does not have, but those that are recorded as unknown", () => {
    for (const { op, opcode, name } of captured) {
      if (opcode === null || op === "notification") continue;
      expect(operationName(opcode), name).toBe(op === "unknown" ? undefined : op);
    }
  });
});
