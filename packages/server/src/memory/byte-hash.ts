/**
 * The hash of bytes that all indexes of a server share (FNV-1a, started from a secret of the process,
 * so that nobody can choose paths that all fall into one bucket). It is incremental: the hash of
 * "/a/b" is that of "/a" continued over "/b".
 */
export function hashBytes(start: number, bytes: Uint8Array, from: number, to: number): number {
  let hash = start;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

export function sameBytes(a: Uint8Array, aFrom: number, b: Uint8Array, bFrom: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aFrom + i] !== b[bFrom + i]) return false;
  return true;
}
