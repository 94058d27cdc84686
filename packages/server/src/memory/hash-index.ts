import { PagedInts } from "./paged-ints.js";

/**
 * From a 32-bit hash to the ids that have it: chained, in segments that grow each on its own, so that
 * with a million entries a rehash still moves only a few thousand at a time. It knows no keys: the
 * caller compares, `first` and `next` give every id with exactly this hash.
 */
const SEGMENT_BITS = 8;
const SEGMENTS = 1 << SEGMENT_BITS;
const FIRST_BUCKETS = 4;
const HASH = 0;
const NEXT = 1;

export class HashIndex {
  private readonly heads: Int32Array[] = [];
  private readonly counts = new Int32Array(SEGMENTS);
  private readonly links = new PagedInts(2);

  constructor() {
    for (let i = 0; i < SEGMENTS; i++) this.heads.push(new Int32Array(FIRST_BUCKETS));
  }

  first(hash: number): number {
    const mixed = mix(hash);
    const heads = this.heads[mixed >>> (32 - SEGMENT_BITS)]!;
    return this.matching(heads[mixed & (heads.length - 1)]!, hash);
  }

  next(id: number, hash: number): number {
    return this.matching(this.links.get(id, NEXT), hash);
  }

  private matching(start: number, hash: number): number {
    let id = start;
    while (id !== 0 && this.links.get(id, HASH) !== hash) id = this.links.get(id, NEXT);
    return id;
  }

  insert(hash: number, id: number): void {
    const mixed = mix(hash);
    const segment = mixed >>> (32 - SEGMENT_BITS);
    let heads = this.heads[segment]!;
    if (this.counts[segment]! >= heads.length) heads = this.grow(segment);
    this.links.ensure(id);
    const bucket = mixed & (heads.length - 1);
    this.links.set(id, HASH, hash);
    this.links.set(id, NEXT, heads[bucket]!);
    heads[bucket] = id;
    this.counts[segment]! += 1;
  }

  remove(id: number): void {
    const mixed = mix(this.links.get(id, HASH));
    const segment = mixed >>> (32 - SEGMENT_BITS);
    const heads = this.heads[segment]!;
    const bucket = mixed & (heads.length - 1);
    const after = this.links.get(id, NEXT);
    this.counts[segment]! -= 1;
    if (heads[bucket] === id) {
      heads[bucket] = after;
      return;
    }
    let at = heads[bucket]!;
    while (this.links.get(at, NEXT) !== id) at = this.links.get(at, NEXT);
    this.links.set(at, NEXT, after);
  }

  private grow(segment: number): Int32Array {
    const old = this.heads[segment]!;
    const heads = new Int32Array(old.length * 4);
    for (let i = 0; i < old.length; i++) {
      for (let id = old[i]!; id !== 0; ) {
        const after = this.links.get(id, NEXT);
        const bucket = mix(this.links.get(id, HASH)) & (heads.length - 1);
        this.links.set(id, NEXT, heads[bucket]!);
        heads[bucket] = id;
        id = after;
      }
    }
    this.heads[segment] = heads;
    return heads;
  }
}

/** Spreads the hash's entropy over all bits: paths that differ in their last character must not share a segment. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
