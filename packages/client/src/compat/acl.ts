import { type AclEntry, PERMISSION } from "../index.js";

/** The bits of a permission mask. */
export const Permission = {
  READ: PERMISSION.read,
  WRITE: PERMISSION.write,
  CREATE: PERMISSION.create,
  DELETE: PERMISSION.delete,
  ADMIN: PERMISSION.admin,
  ALL: PERMISSION.all,
} as const;

/** Somebody, as a scheme knows him. */
export class Id {
  static readonly ANYONE_ID_UNSAFE = new Id("world", "anyone");
  static readonly AUTH_IDS = new Id("auth", "");

  scheme: string;
  id: string;

  constructor(scheme: string, id: string) {
    if (typeof scheme !== "string" || scheme === "") throw new TypeError(`an Id needs a scheme, ${scheme} found`);
    if (typeof id !== "string") throw new TypeError(`an Id needs an id that is a string, ${typeof id} found`);
    this.scheme = scheme;
    this.id = id;
  }
}

/** What somebody may do. */
export class ACL {
  static readonly OPEN_ACL_UNSAFE: readonly ACL[] = [new ACL(Permission.ALL, Id.ANYONE_ID_UNSAFE)];
  static readonly CREATOR_ALL_ACL: readonly ACL[] = [new ACL(Permission.ALL, Id.AUTH_IDS)];
  static readonly READ_ACL_UNSAFE: readonly ACL[] = [new ACL(Permission.READ, Id.ANYONE_ID_UNSAFE)];

  permission: number;
  id: Id;

  constructor(permission: number, id: Id) {
    if (!Number.isInteger(permission) || permission < 1 || permission > Permission.ALL)
      throw new RangeError(`a permission from 1 to ${Permission.ALL} expected, ${permission} found`);
    if (!(id instanceof Id)) throw new TypeError("an ACL needs an Id");
    this.permission = permission;
    this.id = id;
  }
}

export function toEntries(acls: readonly ACL[]): AclEntry[] {
  return acls.map(({ permission, id }) => ({ permissions: permission, scheme: id.scheme, id: id.id }));
}

export function fromEntries(entries: readonly AclEntry[]): ACL[] {
  return entries.map(({ permissions, scheme, id }) => new ACL(permissions, new Id(scheme, id)));
}
