import {
  ByteReader,
  checkVersionTxn,
  closeSessionTxn,
  createContainerTxn,
  createSessionTxn,
  createTtlTxn,
  createTxn,
  createTxnV0,
  DIGEST_VERSION,
  deleteTxn,
  errorTxn,
  type Field,
  multiTxn,
  OP,
  operationName,
  readInt,
  setAclTxn,
  setDataTxn,
  TXN_DIGEST_BYTES,
  txnDigest,
  txnHeader,
  type ValueOf,
  WireError,
} from "@watchkeeper/wire";

/**
 * A logged txn as a value, for tools and tests; the server itself works on the bytes. Reads what every
 * release wrote, the two forms included that only the bytes left behind the header tell apart.
 */
export interface DecodedTxn {
  readonly clientId: bigint;
  readonly cxid: number;
  readonly zxid: number;
  readonly timeMs: number;
  readonly operation: TxnOperation;
  /** The tree's digest after this txn; undefined where none was logged, as for errors. */
  readonly digest: ValueOf<typeof txnDigest> | undefined;
}

/** One case per type of txn: the operation's name, and the fields of its record. */
export type TxnOperation =
  | ({ readonly name: "create" | "create2"; readonly type: number } & ValueOf<typeof createTxn>)
  | ({ readonly name: "createContainer"; readonly type: number } & ValueOf<typeof createContainerTxn>)
  | ({ readonly name: "createTTL"; readonly type: number } & ValueOf<typeof createTtlTxn>)
  | ({ readonly name: "delete" | "deleteContainer"; readonly type: number } & ValueOf<typeof deleteTxn>)
  | ({ readonly name: "setData" | "reconfig"; readonly type: number } & ValueOf<typeof setDataTxn>)
  | ({ readonly name: "check"; readonly type: number } & ValueOf<typeof checkVersionTxn>)
  | ({ readonly name: "setACL"; readonly type: number } & ValueOf<typeof setAclTxn>)
  | ({ readonly name: "createSession"; readonly type: number } & ValueOf<typeof createSessionTxn>)
  /** Releases before 3.6 do not list the ephemerals that go with the session: null. */
  | { readonly name: "closeSession"; readonly type: number; readonly paths2Delete: string[] | null }
  | ({ readonly name: "error"; readonly type: number } & ValueOf<typeof errorTxn>)
  | { readonly name: "multi"; readonly type: number; readonly operations: TxnOperation[] };

/** @throws WireError where the bytes are no txn */
export function decodeTxn(bytes: Uint8Array, start: number, end: number): DecodedTxn {
  const reader = new ByteReader(bytes, start, end);
  const { clientId, cxid, zxid, time, type } = txnHeader.decode(reader);
  const operation = decodeOperation(type, reader, true);
  const digest = reader.remaining >= TXN_DIGEST_BYTES ? txnDigest.decode(reader) : undefined;
  return { clientId, cxid, zxid: Number(zxid), timeMs: Number(time), operation, digest };
}

const records: Readonly<Record<number, Field<object>>> = {
  [OP.create2]: createTxn,
  [OP.createContainer]: createContainerTxn,
  [OP.createTTL]: createTtlTxn,
  [OP.delete]: deleteTxn,
  [OP.deleteContainer]: deleteTxn,
  [OP.setData]: setDataTxn,
  [OP.reconfig]: setDataTxn,
  [OP.setACL]: setAclTxn,
  [OP.createSession]: createSessionTxn,
  [OP.error]: errorTxn,
};

function decodeOperation(type: number, reader: ByteReader, topLevel: boolean): TxnOperation {
  return { name: operationName(type), type, ...decodeRecord(type, reader, topLevel) } as TxnOperation;
}

function decodeRecord(type: number, reader: ByteReader, topLevel: boolean): object {
  if (type === OP.create) return decodeCreate(reader);
  if (type === OP.closeSession && topLevel) return { paths2Delete: decodeClosedPaths(reader) };
  if (type === OP.multi && topLevel) return { operations: decodeMulti(reader) };
  if (type === OP.check && !topLevel) return checkVersionTxn.decode(reader);
  const record = records[type];
  if (record === undefined) throw new WireError(`${type} is not a type of txn that can stand here`);
  return record.decode(reader);
}

/** Up to 3.3 without the parent's cversion: -1 then means "one more than it is". */
function decodeCreate(reader: ByteReader): ValueOf<typeof createTxn> {
  const start = reader.position;
  try {
    return createTxn.decode(reader);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    reader.position = start;
    return { ...createTxnV0.decode(reader), parentCVersion: -1 };
  }
}

/** With `closeSessionTxn.enabled=false` the digest follows the header at once; read as a list it would be one of two texts. */
function decodeClosedPaths(reader: ByteReader): string[] | null {
  const { remaining } = reader;
  if (remaining === 0) return null;
  if (remaining === TXN_DIGEST_BYTES && readInt(reader.bytes, reader.position) === DIGEST_VERSION) return null;
  return closeSessionTxn.decode(reader).paths2Delete;
}

function decodeMulti(reader: ByteReader): TxnOperation[] {
  return multiTxn.decode(reader).txns.map(({ type, data }) => decodeOperation(type, new ByteReader(data), false));
}
