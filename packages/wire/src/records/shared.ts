import { int, long, nullableUstring, record, ustring, type ValueOf } from "./kit.js";

/** Records that requests, transactions and files have in common. */
export const id = record("Id", { scheme: ustring, id: ustring });
export type Id = ValueOf<typeof id>;

export const acl = record("ACL", { perms: int, id });
export type Acl = ValueOf<typeof acl>;

/** An ACL as a request may bring it: kazoo sends the unused id of scheme `auth` as null. */
export const requestedAcl = record("ACL", {
  perms: int,
  id: record("Id", { scheme: nullableUstring, id: nullableUstring }),
});
export type RequestedAcl = ValueOf<typeof requestedAcl>;

/** A node's Stat as clients see it: 68 bytes. Files hold `StatPersisted` instead, see `transactions.ts`. */
export const stat = record(
  "Stat",
  {
    czxid: long,
    mzxid: long,
    ctime: long,
    mtime: long,
    version: int,
    cversion: int,
    aversion: int,
    ephemeralOwner: long,
    dataLength: int,
    numChildren: int,
    pzxid: long,
  },
  (reader) => ({
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
  }),
);
export type Stat = ValueOf<typeof stat>;

export const STAT_BYTES = 68;

/** Where each field of a Stat lies from its start, for code that edits one in place. */
export const STAT_OFFSETS = {
  czxid: 0,
  mzxid: 8,
  ctime: 16,
  mtime: 24,
  version: 32,
  cversion: 36,
  aversion: 40,
  ephemeralOwner: 44,
  dataLength: 52,
  numChildren: 56,
  pzxid: 60,
} as const satisfies Record<keyof Stat, number>;

export const PERMISSIONS = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;
