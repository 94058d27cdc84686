import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type AnyRecord,
  ackEpoch,
  acl,
  ByteReader,
  ByteWriter,
  closeSessionTxn,
  createContainerTxn,
  createSessionTxn,
  createTtlTxn,
  createTxn,
  DESIGNATED_LEADER_BYTES,
  decodeLearnerInfo,
  decodeNotification,
  decodeText,
  deleteTxn,
  encodeLearnerInfo,
  encodeText,
  errorTxn,
  type Field,
  forEachSessionTimeout,
  int,
  LEARNER_PROTOCOL_VERSION,
  leaderInfo,
  long,
  multiHeader,
  multiTxn,
  nullableBuffer,
  OP,
  operationName,
  operations,
  PACKET,
  packetName,
  quorumPackets,
  readDesignatedLeader,
  readElectionGreeting,
  record,
  requestHead,
  revalidateReply,
  sessionTimeout,
  setAclTxn,
  setDataTxn,
  statPersisted,
  txnDigest,
  txnHeader,
  ustring,
  vector,
  writeElectionGreeting,
  writeNotificationFrame,
} from "../src/index.js";
import { decodePacket, packetBytes } from "./quorum/packet-specimens.js";

/**
 * What Apache 3.8.0 servers sent one another (test/golden), with what a reader that shares no code with
 * this package made of it. Every specimen decodes to that, and encodes to the very bytes again.
 */
interface Specimen {
  readonly name: string;
  readonly kind: "packet" | "snap-stream" | "notification" | "greeting";
  readonly sender: "leader" | "follower" | "observer" | "participant" | "server" | "raw";
  readonly hex: string;
  // biome-ignore lint/suspicious/noExplicitAny: the recorded value has a shape of its own for every packet
  readonly value: any;
  readonly understood?: boolean;
}

const file = new URL("../../../test/golden/server-protocol.json", import.meta.url);
const { captured } = JSON.parse(readFileSync(file, "utf8")) as { captured: Specimen[] };

const of = (kind: Specimen["kind"]): [string, Specimen][] =>
  captured.filter((one) => one.kind === kind && one.sender !== "raw").map((one) => [one.name, one]);
const raw = (kind: Specimen["kind"]): [string, Specimen][] =>
  captured.filter((one) => one.kind === kind && one.sender === "raw").map((one) => [one.name, one]);
const bytesOf = ({ hex }: Specimen): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A decoded value as the recording writes it: longs as decimal strings, buffers as hex. */
function recorded(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return { hex: hexOf(value) };
  if (Array.isArray(value)) return value.map(recorded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, recorded(field)]));
}

/** What is behind a packet's head: decodes all of the reader, and encodes what it has decoded. */
interface Codec {
  decode(reader: ByteReader): unknown;
  encode(writer: ByteWriter, value: never): void;
}
const codec = (type: AnyRecord | null): Codec => type as unknown as Codec;

const TXNS: Readonly<Record<number, AnyRecord>> = {
  [OP.create]: createTxn,
  [OP.create2]: createTxn,
  [OP.createContainer]: createContainerTxn,
  [OP.createTTL]: createTtlTxn,
  [OP.delete]: deleteTxn,
  [OP.setData]: setDataTxn,
  [OP.reconfig]: setDataTxn,
  [OP.setACL]: setAclTxn,
  [OP.createSession]: createSessionTxn,
  [OP.closeSession]: closeSessionTxn,
  [OP.error]: errorTxn,
  [OP.multi]: multiTxn,
};

const txnCodec: Codec = {
  decode(reader) {
    const header = txnHeader.decode(reader);
    const body = codec(TXNS[header.type]!).decode(reader);
    return { header, record: body, digest: reader.remaining > 0 ? txnDigest.decode(reader) : null };
  },
  encode(writer, value: { header: { type: number }; record: never; digest: never }) {
    txnHeader.encode(writer, value.header as never);
    codec(TXNS[value.header.type]!).encode(writer, value.record);
    if (value.digest !== null) txnDigest.encode(writer, value.digest);
  },
};

const multiCodec: Codec = {
  decode(reader) {
    const ops: unknown[] = [];
    for (;;) {
      const header = multiHeader.decode(reader);
      if (header.done) return { ops };
      ops.push({ header, body: codec(operations[operationName(header.type)!].request).decode(reader) });
    }
  },
  encode(writer, value: { ops: { header: { type: number }; body: never }[] }) {
    for (const { header, body } of value.ops) {
      multiHeader.encode(writer, header as never);
      codec(operations[operationName(header.type)!].request).encode(writer, body);
    }
    multiHeader.encode(writer, { type: -1, done: true, err: -1 });
  },
};

function requestBody(opcode: number): Codec {
  if (opcode === OP.multi) return multiCodec;
  // What a learner passes on for a client's handshake and farewell has no request record of its own.
  if (opcode === OP.createSession) return codec(createSessionTxn);
  if (opcode === OP.closeSession) return codec(record("nothing", {}));
  return codec(operations[operationName(opcode)!].request);
}

const requestCodec: Codec = {
  decode(reader) {
    const head = requestHead.decode(reader);
    return { head, body: requestBody(head.opcode).decode(reader) };
  },
  encode(writer, value: { head: { opcode: number }; body: never }) {
    requestHead.encode(writer, value.head as never);
    requestBody(value.head.opcode).encode(writer, value.body);
  },
};

const learnerInfoCodec: Codec = {
  decode(reader) {
    const length = reader.remaining;
    const info = decodeLearnerInfo(reader.bytes, reader.position, length);
    reader.skip(length);
    return {
      serverid: BigInt(info.sid!),
      protocolVersion: info.protocolVersion,
      configVersion: BigInt(info.configVersion!),
    };
  },
  encode(writer, value: { serverid: bigint; protocolVersion: number; configVersion: bigint }) {
    expect(value.protocolVersion).toBe(LEARNER_PROTOCOL_VERSION);
    encodeLearnerInfo(writer, Number(value.serverid), Number(value.configVersion));
  },
};

const sessionsCodec: Codec = {
  decode(reader) {
    const sessions: object[] = [];
    forEachSessionTimeout(reader.bytes, reader.position, reader.remaining, (high, low, timeout) => {
      sessions.push({ sessionId: (BigInt(high) << 32n) | BigInt(low >>> 0), timeout });
    });
    reader.skip(reader.remaining);
    return { sessions };
  },
  encode(writer, { sessions }: { sessions: { sessionId: bigint; timeout: number }[] }) {
    for (const { sessionId, timeout } of sessions) sessionTimeout.encode(writer, { sessionId, timeoutMs: timeout });
  },
};

const revalidateQueryCodec: Codec = {
  decode(reader) {
    const { sessionId, timeoutMs } = sessionTimeout.decode(reader);
    return { sessionId, timeout: timeoutMs };
  },
  encode(writer, { sessionId, timeout }: { sessionId: bigint; timeout: number }) {
    sessionTimeout.encode(writer, { sessionId, timeoutMs: timeout });
  },
};

const configCodec: Codec = {
  decode(reader) {
    const start = reader.position;
    reader.skip(reader.remaining);
    return { config: decodeText(reader.bytes, start, reader.position) };
  },
  encode(writer, { config }: { config: string }) {
    const bytes = encodeText(config);
    writer.copy(bytes, 0, bytes.length);
  },
};

const designatedLeaderCodec: Codec = {
  decode(reader) {
    const designatedLeader = BigInt(readDesignatedLeader(reader.bytes, reader.position, reader.remaining));
    reader.skip(DESIGNATED_LEADER_BYTES);
    return reader.remaining > 0 ? { designatedLeader, txn: txnCodec.decode(reader) } : { designatedLeader };
  },
  encode(writer, value: { designatedLeader: bigint; txn?: never }) {
    writer.longFromNumber(Number(value.designatedLeader));
    if (value.txn !== undefined) txnCodec.encode(writer, value.txn);
  },
};

function dataCodec(type: number, isLeader: boolean): Codec {
  switch (type) {
    case PACKET.request:
      return requestCodec;
    case PACKET.proposal:
    case PACKET.inform:
      return txnCodec;
    case PACKET.ping:
      return sessionsCodec;
    case PACKET.revalidate:
      return isLeader ? codec(revalidateReply) : revalidateQueryCodec;
    case PACKET.commitAndActivate:
    case PACKET.informAndActivate:
      return designatedLeaderCodec;
    case PACKET.newLeader:
      return configCodec;
    case PACKET.followerInfo:
    case PACKET.observerInfo:
      return learnerInfoCodec;
    case PACKET.leaderInfo:
      return codec(leaderInfo);
    case PACKET.ackEpoch:
      return codec(ackEpoch);
    default:
      throw new Error(`${packetName(type)} has no data`);
  }
}

test.for(of("packet"))("%s", ([, specimen]) => {
  const bytes = bytesOf(specimen);
  const { packet, end } = decodePacket(bytes)!;
  expect(end).toBe(bytes.length);
  for (let cut = 0; cut < end; cut++) expect(decodePacket(bytes, 0, cut)).toBeUndefined();
  const { type, zxid, data, authInfo } = packet;

  const codecOfData = data === null ? undefined : dataCodec(type, specimen.sender === "leader");
  const reader = new ByteReader(data ?? new Uint8Array(0));
  const value = codecOfData?.decode(reader) ?? null;
  expect(reader.remaining).toBe(0);
  expect({ type, zxid: String(zxid), data: recorded(value), authinfo: authInfo }).toEqual(specimen.value);

  const writer = new ByteWriter(1);
  codecOfData?.encode(writer, value as never);
  const again = data === null ? null : writer.view();
  expect(hexOf(packetBytes({ ...packet, data: again }))).toBe(specimen.hex);
});

const snapHead = record("SnapStreamHead", {
  sessions: vector(record("Session", { sessionId: long, timeout: int })),
  acls: vector(record("AclOfId", { aclId: long, acl: vector(acl) })),
});
const snapNode: Field<object> = record("SnapNode", {
  path: ustring,
  data: nullableBuffer,
  aclId: long,
  stat: statPersisted,
});

test.for(of("snap-stream"))("%s", ([, specimen]) => {
  const reader = new ByteReader(bytesOf(specimen));
  const head = snapHead.decode(reader);
  const nodes: object[] = [];
  // The end is a path that no node has: the root's is empty.
  const isAtEnd = () => hexOf(reader.bytes.subarray(reader.position, reader.position + 5)) === "000000012f";
  while (!isAtEnd()) nodes.push(snapNode.decode(reader));
  reader.skip(5);
  const signature = ustring.decode(reader);
  expect(reader.remaining).toBe(0);
  expect(recorded({ ...head, nodes, signature })).toEqual(specimen.value);

  const writer = new ByteWriter(1);
  snapHead.encode(writer, head);
  for (const node of nodes) snapNode.encode(writer, node);
  writer.ustring("/");
  writer.ustring(signature);
  expect(hexOf(writer.view())).toBe(specimen.hex);
});

test.for(of("notification"))("%s", ([, specimen]) => {
  const bytes = bytesOf(specimen);
  const notification = decodeNotification(bytes, 0, bytes.length)!;
  const { leader, zxid, electionEpoch, peerEpoch } = notification;
  const exact = {
    leader: BigInt(leader),
    zxid: BigInt(zxid),
    electionEpoch: BigInt(electionEpoch),
    peerEpoch: BigInt(peerEpoch),
  };
  expect(recorded({ ...notification, ...exact })).toEqual(specimen.value);

  const writer = new ByteWriter(1);
  writeNotificationFrame(writer, notification, notification.config!);
  expect(hexOf(writer.view())).toBe(Buffer.of(0, 0, bytes.length >> 8, bytes.length).toString("hex") + specimen.hex);
});

test.for(of("greeting"))("%s", ([, specimen]) => {
  const bytes = bytesOf(specimen);
  const greeting = readElectionGreeting(bytes, 0, bytes.length)!;
  if ("refused" in greeting) return expect.unreachable(greeting.refused);
  expect(greeting.end).toBe(bytes.length);
  expect(String(greeting.sid)).toBe(specimen.value.sid);
  expect(greeting.addresses.map(({ host, port }) => `${host}:${port}`).join("|")).toBe(specimen.value.addresses);

  const writer = new ByteWriter(1);
  writeElectionGreeting(writer, greeting.sid!, greeting.addresses);
  expect(hexOf(writer.view())).toBe(specimen.hex);
});

describe("what an Apache server made of bytes that were made up", () => {
  test.for(raw("notification"))("%s is read or ignored as it did", ([, specimen]) => {
    const bytes = bytesOf(specimen);
    expect(decodeNotification(bytes, 0, bytes.length) !== undefined).toBe(specimen.understood);
  });

  test.for(raw("greeting"))("%s is read or refused as it did", ([, specimen]) => {
    const bytes = bytesOf(specimen);
    const greeting = readElectionGreeting(bytes, 0, bytes.length)!;
    expect("refused" in greeting).toBe(!specimen.understood);
  });
});

describe("the recording", () => {
  test.for(Object.values(quorumPackets))("holds $name from whoever sends it", ({ type, sentBy }) => {
    const senders = of("packet").filter(([, { value }]) => value.type === type);
    const found = new Set(senders.map(([, { sender }]) => (sender === "leader" ? "leader" : "learner")));
    expect(found).toEqual(new Set(sentBy === "both" ? ["leader", "learner"] : [sentBy]));
  });

  test("holds notifications of all four states, and of a server that cannot lead", () => {
    const values = of("notification").map(([, { value }]) => value);
    expect(new Set(values.map(({ state }) => state))).toEqual(new Set([0, 1, 2, 3]));
    expect(values.some(({ leader }) => leader === String(-(2n ** 63n)))).toBe(true);
  });
});
