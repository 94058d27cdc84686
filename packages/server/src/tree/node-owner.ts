/**
 * What a node's persisted ephemeralOwner says: whose it is, or how long it lives. Clients see the
 * session of an ephemeral node and 0 for all others; files and digests hold the persisted value.
 */
export const NODE_KIND = { persistent: 0, ephemeral: 1, container: 2, ttl: 3 } as const;
export type NodeKind = (typeof NODE_KIND)[keyof typeof NODE_KIND];

const CONTAINER_HIGH = 0x80000000 | 0;
const TTL_HIGH = 0xff000000 | 0;
const TWO_32 = 2 ** 32;

/** The longest TTL: 40 bits of milliseconds. */
export const TTL_MS_MAX = 2 ** 40 - 1;

/**
 * Containers and TTL nodes are told by their value alone, whatever the settings: taking a TTL node
 * for a dead session's, as Apache does without `extendedTypesEnabled`, deletes it silently.
 */
export function ownerKind(high: number, low: number): NodeKind {
  if (high === 0 && low === 0) return NODE_KIND.persistent;
  if (high === CONTAINER_HIGH && low === 0) return NODE_KIND.container;
  if ((high & 0xffffff00) === TTL_HIGH) return NODE_KIND.ttl;
  return NODE_KIND.ephemeral;
}

export function containerOwner(): { high: number; low: number } {
  return { high: CONTAINER_HIGH, low: 0 };
}

export function ttlOwner(ttlMs: number): { high: number; low: number } {
  return { high: TTL_HIGH | Math.floor(ttlMs / TWO_32), low: ttlMs | 0 };
}

export function ttlMsOf(high: number, low: number): number {
  return (high & 0xff) * TWO_32 + (low >>> 0);
}
