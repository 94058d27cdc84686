/**
 * The few records that these tests speak, written out in bytes: the judge of a server must not share
 * its codec.
 */
export class JuteWriter {
  private readonly pieces: Buffer[] = [];

  int(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value | 0);
    return this.raw(bytes);
  }

  long(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt.asIntN(64, value));
    return this.raw(bytes);
  }

  bool(value: boolean): this {
    return this.raw(Buffer.of(value ? 1 : 0));
  }

  buffer(value: Uint8Array): this {
    return this.int(value.length).raw(value);
  }

  text(value: string): this {
    return this.buffer(Buffer.from(value));
  }

  raw(bytes: Uint8Array): this {
    this.pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    return this;
  }

  done(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

export class JuteReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  int(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  long(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }

  bool(): boolean {
    this.at += 1;
    return this.bytes.readUInt8(this.at - 1) !== 0;
  }

  /** Null where the length says so. */
  buffer(): Buffer | null {
    const length = this.int();
    if (length < 0) return null;
    if (length > this.remaining) throw new Error(`a length of ${length} with ${this.remaining} bytes left`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    return decodeText(this.buffer() ?? Buffer.alloc(0));
  }

  list<T>(element: () => T): T[] {
    const list: T[] = [];
    for (let left = this.int(); left > 0; left--) list.push(element());
    return list;
  }
}

/** Java writes a character above U+FFFF as two surrogates of three bytes each, others as UTF-8 has it: both are read. */
function decodeText(bytes: Buffer): string {
  if (!bytes.includes(0xed)) return bytes.toString("utf8");
  const pair = /\xed([\xa0-\xaf])([\x80-\xbf])\xed([\xb0-\xbf])([\x80-\xbf])/g;
  const plain = bytes.toString("latin1").replace(pair, (_, a: string, b: string, c: string, d: string) => {
    const [high, low] = [surrogate(a, b), surrogate(c, d)];
    return Buffer.from(String.fromCharCode(high, low)).toString("latin1");
  });
  return Buffer.from(plain, "latin1").toString("utf8");
}

function surrogate(second: string, third: string): number {
  return 0xd000 | ((second.charCodeAt(0) & 0x3f) << 6) | (third.charCodeAt(0) & 0x3f);
}

export const opcode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  ping: 11,
  check: 13,
  multi: 14,
  auth: 100,
  addWatch: 106,
  closeSession: -11,
} as const;

export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

export const openAcl: readonly Acl[] = [{ perms: 31, scheme: "world", id: "anyone" }];

function writeAcls(writer: JuteWriter, acls: readonly Acl[]): JuteWriter {
  writer.int(acls.length);
  for (const { perms, scheme, id } of acls) writer.int(perms).text(scheme).text(id);
  return writer;
}

/** Flags of a create: bit 0 ephemeral, bit 1 sequential. */
export function createBody(path: string, data: Uint8Array, flags = 0, acls: readonly Acl[] = openAcl): Buffer {
  return writeAcls(new JuteWriter().text(path).buffer(data), acls).int(flags).done();
}

export function pathBody(path: string): Buffer {
  return new JuteWriter().text(path).done();
}

/** getData, exists, getChildren. */
export function readBody(path: string, watch = false): Buffer {
  return new JuteWriter().text(path).bool(watch).done();
}

/** delete and check. */
export function versionBody(path: string, version = -1): Buffer {
  return new JuteWriter().text(path).int(version).done();
}

export function setDataBody(path: string, data: Uint8Array, version = -1): Buffer {
  return new JuteWriter().text(path).buffer(data).int(version).done();
}

export function setAclBody(path: string, acls: readonly Acl[], version = -1): Buffer {
  return writeAcls(new JuteWriter().text(path), acls).int(version).done();
}

export function addWatchBody(path: string, mode: number): Buffer {
  return new JuteWriter().text(path).int(mode).done();
}

export function authBody(scheme: string, credential: string): Buffer {
  return new JuteWriter().int(0).text(scheme).text(credential).done();
}

export function multiBody(operations: readonly { readonly opcode: number; readonly body: Buffer }[]): Buffer {
  const writer = new JuteWriter();
  for (const { opcode: type, body } of operations) writer.int(type).bool(false).int(-1).raw(body);
  return writer.int(-1).bool(true).int(-1).done();
}

export interface Stat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly ctime: bigint;
  readonly mtime: bigint;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: bigint;
}

export function readStat(reader: JuteReader): Stat {
  return {
    czxid: reader.long(),
    mzxid: reader.long(),
    ctime: reader.long(),
    mtime: reader.long(),
    version: reader.int(),
    cversion: reader.int(),
    aversion: reader.int(),
    ephemeralOwner: reader.long(),
    dataLength: reader.int(),
    numChildren: reader.int(),
    pzxid: reader.long(),
  };
}

export function readAcls(reader: JuteReader): Acl[] {
  return reader.list(() => ({ perms: reader.int(), scheme: reader.text(), id: reader.text() }));
}

/** A frame as it travels: the length, then the payload. */
export function framed(payload: Uint8Array): Buffer {
  return new JuteWriter().buffer(payload).done();
}

export function requestPayload(xid: number, type: number, body: Uint8Array): Buffer {
  return new JuteWriter().int(xid).int(type).raw(body).done();
}

export interface SessionKey {
  readonly id: bigint;
  readonly password: Buffer;
}

export const NEW_SESSION: SessionKey = { id: 0n, password: Buffer.alloc(16) };

export function connectPayload(timeoutMs: number, session: SessionKey = NEW_SESSION): Buffer {
  return new JuteWriter().int(0).long(0n).int(timeoutMs).long(session.id).buffer(session.password).bool(false).done();
}
