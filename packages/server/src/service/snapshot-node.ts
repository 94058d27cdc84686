import {
  type Acl,
  acl,
  ByteReader,
  decodeText,
  nullableVector,
  PERMISSIONS,
  readInt,
  type StatPersisted,
  statPersisted,
} from "@watchkeeper/wire";
import { NODE_KIND, ownerKind, ttlMsOf } from "../tree/index.js";

/** A node as a snapshot holds it. */
export interface SnapshotNode {
  readonly path: string;
  /** Valid as long as the bytes it was read from. */
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly stat: StatPersisted;
  readonly owner: NodeOwner;
}

export type NodeOwner =
  | { readonly kind: "persistent" | "container" }
  | { readonly kind: "ephemeral"; readonly session: bigint }
  | { readonly kind: "ttl"; readonly ttlMs: number };

/** The root's path is empty in files. */
export function nodePath(bytes: Uint8Array, start: number, length: number): string {
  return length === 0 ? "/" : decodeText(bytes, start, start + length);
}

const OWNER_OFFSET = 44;

/** Whose a node is by its Stat, which begins at `statStart`. */
export function nodeOwner(bytes: Uint8Array, statStart: number): NodeOwner {
  const high = readInt(bytes, statStart + OWNER_OFFSET);
  const low = readInt(bytes, statStart + OWNER_OFFSET + 4);
  const kind = ownerKind(high, low);
  if (kind === NODE_KIND.ephemeral) return { kind: "ephemeral", session: (BigInt(high) << 32n) | BigInt(low >>> 0) };
  if (kind === NODE_KIND.ttl) return { kind: "ttl", ttlMs: ttlMsOf(high, low) };
  return kind === NODE_KIND.container ? CONTAINER : PERSISTENT;
}

const PERSISTENT: NodeOwner = { kind: "persistent" };
const CONTAINER: NodeOwner = { kind: "container" };

export function nodeStat(bytes: Uint8Array, start: number): StatPersisted {
  return statPersisted.decode(new ByteReader(bytes, start));
}

/** The lists that nodes refer to by number. */
export class SnapshotAcls {
  private readonly lists = new Map<number, readonly Acl[]>([[-1, OPEN_ACL]]);

  read(aclId: number, bytes: Uint8Array, start: number, end: number): void {
    this.lists.set(aclId, aclList.decode(new ByteReader(bytes, start, end)) ?? []);
  }

  /** Empty where the list was made while the snapshot was written: then only the log has it. */
  of(aclId: number): readonly Acl[] {
    return this.lists.get(aclId) ?? [];
  }
}

const aclList = nullableVector(acl);
const OPEN_ACL: readonly Acl[] = [{ perms: PERMISSIONS.all, id: { scheme: "world", id: "anyone" } }];
