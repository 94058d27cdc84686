import {
  type Acl,
  ByteWriter,
  closeSessionTxn,
  createContainerTxn,
  createTtlTxn,
  createTxn,
  deleteTxn,
  errorTxn,
  type Field,
  multiTxn,
  OP,
  setAclTxn,
  setDataTxn,
  txnDigest,
  txnHeader,
} from "@watchkeeper/wire";

/** Transactions as tests say them. */
export type Change =
  | {
      readonly op: "create";
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly acl: Acl[];
      readonly owner: "persistent" | "ephemeral" | "container" | "ttl";
      readonly parentCreations: number;
    }
  | { readonly op: "delete"; readonly path: string }
  | { readonly op: "setData"; readonly path: string; readonly data: Uint8Array | null; readonly version: number }
  | { readonly op: "setACL"; readonly path: string; readonly acl: Acl[]; readonly version: number }
  | { readonly op: "error"; readonly err: number }
  | { readonly op: "closeSession"; readonly paths: string[] | undefined }
  | { readonly op: "multi"; readonly changes: Change[] };

export interface Txn {
  readonly session: bigint;
  readonly zxid: number;
  readonly timeMs: number;
  readonly change: Change;
}

export const TTL_MS = 5_000_000_000;

/** Header and record, as they stand in the log; with the digest behind them where one is given. */
export function encodeTxn({ session, zxid, timeMs, change }: Txn, digest?: bigint): Uint8Array {
  const writer = new ByteWriter();
  const [type, write] = encoding(change);
  txnHeader.encode(writer, { clientId: session, cxid: 1, zxid: BigInt(zxid), time: BigInt(timeMs), type });
  write(writer);
  if (digest !== undefined) txnDigest.encode(writer, { version: 2, treeDigest: BigInt.asIntN(64, digest) });
  return writer.view().slice();
}

type Write = (writer: ByteWriter) => void;

function encoding(change: Change): [type: number, write: Write] {
  switch (change.op) {
    case "create":
      return creation(change);
    case "delete":
      return [OP.delete, (writer) => deleteTxn.encode(writer, change)];
    case "setData":
      return [OP.setData, (writer) => setDataTxn.encode(writer, change)];
    case "setACL":
      return [OP.setACL, (writer) => setAclTxn.encode(writer, change)];
    case "error":
      return [OP.error, (writer) => errorTxn.encode(writer, change)];
    case "closeSession":
      return [
        OP.closeSession,
        (writer) => change.paths && closeSessionTxn.encode(writer, { paths2Delete: change.paths }),
      ];
    case "multi":
      return [OP.multi, (writer) => multiTxn.encode(writer, { txns: change.changes.map(part) })];
  }
}

function creation(change: Extract<Change, { op: "create" }>): [number, Write] {
  const common = { path: change.path, data: change.data, acl: change.acl, parentCVersion: change.parentCreations };
  const as = <T>(field: Field<T>, value: T): Write => {
    return (writer) => field.encode(writer, value);
  };
  if (change.owner === "container") return [OP.createContainer, as(createContainerTxn, common)];
  if (change.owner === "ttl") return [OP.createTTL, as(createTtlTxn, { ...common, ttl: BigInt(TTL_MS) })];
  return [OP.create, as(createTxn, { ...common, ephemeral: change.owner === "ephemeral" })];
}

function part(change: Change): { type: number; data: Uint8Array } {
  const writer = new ByteWriter();
  const [type, write] = encoding(change);
  write(writer);
  return { type, data: writer.view().slice() };
}
