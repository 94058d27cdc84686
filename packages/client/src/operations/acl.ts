import { createHash } from "node:crypto";
import { type acl, PERMISSIONS, type ValueOf } from "@watchkeeper/wire";

/** The bits of a permission mask: `PERMISSION.read | PERMISSION.write`. */
export const PERMISSION = PERMISSIONS;

/** One entry of an access control list: whoever matches `scheme` and `id` may do what `permissions` says. */
export interface AclEntry {
  /** A sum of `PERMISSION` bits. */
  readonly permissions: number;
  /** "world", "auth", "digest", "ip", "sasl", "x509" or one of a server's own. */
  readonly scheme: string;
  /** What the scheme makes of it: "anyone", "user:hash", "10.0.0.0/8". */
  readonly id: string;
}

/** Everyone may do everything. What `create` uses unless told otherwise. */
export const OPEN_ACL: readonly AclEntry[] = [{ permissions: PERMISSION.all, scheme: "world", id: "anyone" }];
/** Everyone may read. */
export const READ_ONLY_ACL: readonly AclEntry[] = [{ permissions: PERMISSION.read, scheme: "world", id: "anyone" }];
/** Whoever this client has authenticated as (see `addAuth`) may do everything, nobody else anything. */
export const CREATOR_ACL: readonly AclEntry[] = [{ permissions: PERMISSION.all, scheme: "auth", id: "" }];

/**
 * The id of a user for entries of scheme "digest": `user:base64(sha1(user:password))`. It is what a
 * server compares with the credential of `addAuth("digest", "user:password")`.
 */
export function digestId(user: string, password: string): string {
  return `${user}:${createHash("sha1").update(`${user}:${password}`).digest("base64")}`;
}

/** An entry for whoever authenticates by `addAuth("digest", "user:password")`. */
export function digestAcl(user: string, password: string, permissions: number = PERMISSION.all): AclEntry {
  return { permissions, scheme: "digest", id: digestId(user, password) };
}

type WireAcl = ValueOf<typeof acl>;

export function toWireAcl(entries: readonly AclEntry[]): WireAcl[] {
  return entries.map(({ permissions, scheme, id }) => ({ perms: permissions, id: { scheme, id } }));
}

export function fromWireAcl(entries: readonly WireAcl[]): AclEntry[] {
  return entries.map((entry) => ({ permissions: entry.perms, scheme: entry.id.scheme, id: entry.id.id }));
}
