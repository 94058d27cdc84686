import { type ByteReader, type ByteWriter, type OperationName, operations } from "@watchkeeper/wire";
import type { Chroot } from "../session/index.js";
import { type AclEntry, fromWireAcl } from "./acl.js";
import type { Stat } from "./stat.js";

/** How one operation is written and its reply read. What is read is copied: the input's memory is not kept. */
export interface RequestKind<A, R> {
  /** The name of the method that makes it, for error messages. */
  readonly operation: string;
  readonly opcode: number;
  readonly changesTree: boolean;
  /** A reply of NO_NODE is the result null. */
  readonly absentIsResult: boolean;
  encode(writer: ByteWriter, args: A): void;
  decode(reader: ByteReader, chroot: Chroot): R;
}

/** What a node holds, with its Stat of the same moment. */
export interface NodeData {
  /** What the node holds; null if it was created with null. */
  readonly data: Buffer | null;
  readonly stat: Stat;
}

/** A node's children, with its Stat of the same moment. */
export interface NodeChildren {
  /** Names, not paths, in no order. */
  readonly children: string[];
  readonly stat: Stat;
}

/** A node's access control list, with its Stat of the same moment. */
export interface NodeAcl {
  readonly acl: AclEntry[];
  readonly stat: Stat;
}

/** One of those whom a server takes a connection for. */
export interface Identity {
  /** "ip", "digest" or another by which it was proved. */
  readonly scheme: string;
  /** The user's name; the address for scheme "ip"; "" for the superuser. */
  readonly user: string;
}

interface RequestRecord<A> {
  encode(writer: ByteWriter, value: A): void;
}

/** Where the method is not named as the operation. */
const METHODS: Partial<Record<OperationName, string>> = {
  create2: "create",
  createContainer: "create",
  createTTL: "create",
  getChildren2: "getChildren",
  getACL: "getAcl",
  setACL: "setAcl",
  auth: "addAuth",
};

function request<A, R>(
  operation: OperationName,
  record: RequestRecord<A>,
  decode: (reader: ByteReader, chroot: Chroot) => R,
  absentIsResult = false,
): RequestKind<A, R> {
  const { opcode, kind } = operations[operation];
  return {
    operation: METHODS[operation] ?? operation,
    opcode,
    changesTree: kind === "write",
    absentIsResult,
    encode: (writer, args) => record.encode(writer, args),
    decode,
  };
}

const noBody: RequestRecord<undefined> = { encode: () => undefined };
const nothing = (): void => undefined;
const readStat = (reader: ByteReader): Stat => operations.exists.response.decode(reader).stat;

export function copyOf(data: Uint8Array | null): Buffer | null {
  return data === null ? null : Buffer.from(data);
}

/** A path the server answered with. One outside the chroot cannot be: it stands below what was asked for. */
export function applicationPath(path: string, chroot: Chroot): string {
  return chroot.toApplication(path) ?? path;
}

function created(reader: ByteReader, chroot: Chroot): { path: string; stat: Stat } {
  const { path, stat } = operations.create2.response.decode(reader);
  return { path: applicationPath(path, chroot), stat };
}

const op = operations;
export const requests = {
  create: request("create", op.create.request, (reader, chroot) =>
    applicationPath(op.create.response.decode(reader).path, chroot),
  ),
  create2: request("create2", op.create2.request, created),
  createContainer: request("createContainer", op.createContainer.request, created),
  createTTL: request("createTTL", op.createTTL.request, created),
  delete: request("delete", op.delete.request, nothing),
  exists: request("exists", op.exists.request, (reader): Stat | null => readStat(reader), true),
  getData: request("getData", op.getData.request, (reader): NodeData => {
    const { data, stat } = op.getData.response.decode(reader);
    return { data: copyOf(data), stat };
  }),
  /** The same operation for callers who have no use for the Stat, which then is not decoded. */
  getDataOnly: request("getData", op.getData.request, (reader) => copyOf(reader.buffer())),
  setData: request("setData", op.setData.request, readStat),
  getAcl: request("getACL", op.getACL.request, (reader): NodeAcl => {
    const { acl, stat } = op.getACL.response.decode(reader);
    return { acl: fromWireAcl(acl), stat };
  }),
  setAcl: request("setACL", op.setACL.request, readStat),
  getChildren: request(
    "getChildren",
    op.getChildren.request,
    (reader) => op.getChildren.response.decode(reader).children,
  ),
  getChildren2: request(
    "getChildren2",
    op.getChildren2.request,
    (reader): NodeChildren => op.getChildren2.response.decode(reader),
  ),
  sync: request("sync", op.sync.request, nothing),
  getEphemerals: request("getEphemerals", op.getEphemerals.request, (reader, chroot) =>
    op.getEphemerals.response.decode(reader).ephemerals.flatMap((path) => {
      return chroot.toApplication(path) ?? []; // the server compares texts: "/apple" too begins with "/app"
    }),
  ),
  getAllChildrenNumber: request(
    "getAllChildrenNumber",
    op.getAllChildrenNumber.request,
    (reader) => op.getAllChildrenNumber.response.decode(reader).totalNumber,
  ),
  whoAmI: request("whoAmI", noBody, (reader): Identity[] =>
    op.whoAmI.response
      .decode(reader)
      .clientInfo.map(({ authScheme, user }) => ({ scheme: authScheme ?? "", user: user ?? "" })),
  ),
  reconfig: request("reconfig", op.reconfig.request, (reader): NodeData => {
    const { data, stat } = op.reconfig.response.decode(reader);
    return { data: copyOf(data), stat };
  }),
  /** Whether the server has a watch: NO_WATCHER is its no. */
  checkWatches: request("checkWatches", op.checkWatches.request, nothing),
  addWatch: request("addWatch", op.addWatch.request, nothing),
  removeWatches: request("removeWatches", op.removeWatches.request, nothing),
  /** Sent by the session itself, which also completes it. */
  auth: request("auth", noBody, nothing),
} as const;
