import type { Random } from "../ports/index.js";

/**
 * A file's bytes twice: as programs see them, and as they would be after a power cut. The cache between
 * them is kept by sector, the unit that a disk writes wholly or not at all: a sector that was changed and
 * not yet synced may come out of a crash either way, whatever became of its neighbours.
 */
const SECTOR_BYTES = 512;

interface WriteUnderWay {
  readonly bytes: Uint8Array;
  readonly position: number;
}

export class MemoryInode {
  private readonly seen = new GrowingBytes();
  private readonly durable = new GrowingBytes();
  private readonly dirtySectors = new Set<number>();
  private readonly underWay = new Set<WriteUnderWay>();
  /** The file was cut to this size, which the disk does not know yet; it learns it before anything written later. */
  private unsyncedCut = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.seen.length;
  }

  snapshot(): Uint8Array {
    return this.seen.slice(0, this.seen.length);
  }

  /** As a crash leaves it that keeps nothing of what was not synced. */
  surviving(): Uint8Array {
    return this.durable.slice(0, this.durable.length);
  }

  read(target: Uint8Array, position: number): number {
    const bytes = this.seen.slice(position, Math.min(this.seen.length, position + target.length));
    target.set(bytes);
    return bytes.length;
  }

  /** Notes a write that has been handed over and not carried out: a crash may leave any of its sectors. @returns ends that */
  beginWrite(bytes: Uint8Array, position: number): () => void {
    const write = { bytes, position };
    this.underWay.add(write);
    return () => this.underWay.delete(write);
  }

  write(bytes: Uint8Array, position: number): void {
    this.seen.write(bytes, position);
    for (const sector of sectorsOf(position, position + bytes.length)) this.dirtySectors.add(sector);
  }

  truncate(size: number): void {
    this.unsyncedCut = Math.min(this.unsyncedCut, size);
    this.seen.resize(size);
    for (const sector of this.dirtySectors) if (sector * SECTOR_BYTES >= size) this.dirtySectors.delete(sector);
  }

  sync(): void {
    this.syncCut();
    for (const sector of this.dirtySectors) this.persist(sector);
    this.durable.resize(this.seen.length);
  }

  /** What a durable write syncs: its own sectors, not what others have left unsynced elsewhere. */
  syncRange(start: number, end: number): void {
    this.syncCut();
    for (const sector of sectorsOf(start, end)) this.persist(sector);
    this.durable.resize(Math.max(this.durable.length, end));
  }

  crash(random: Random): void {
    for (const { bytes, position } of this.underWay) {
      // The cache is filled from the write's beginning; of that any sector may have reached the disk.
      this.write(bytes.subarray(0, random.below(bytes.length + 1)), position);
    }
    this.underWay.clear();
    if (random.below(2) === 0) this.syncCut();
    const size = random.below(2) === 0 ? this.durable.length : this.seen.length;
    for (const sector of this.dirtySectors) if (random.below(2) === 0) this.persist(sector);
    this.dirtySectors.clear();
    this.unsyncedCut = Number.POSITIVE_INFINITY;
    this.durable.resize(size);
    this.seen.resize(0);
    this.seen.write(this.durable.slice(0, size), 0);
  }

  private syncCut(): void {
    this.durable.resize(Math.min(this.durable.length, this.unsyncedCut));
    this.unsyncedCut = Number.POSITIVE_INFINITY;
  }

  private persist(sector: number): void {
    const start = sector * SECTOR_BYTES;
    const bytes = new Uint8Array(SECTOR_BYTES);
    bytes.set(this.seen.slice(start, Math.min(start + SECTOR_BYTES, this.seen.length)));
    const { length } = this.durable;
    this.durable.write(bytes, start);
    // Which sectors are there and how long the file is are two things.
    this.durable.resize(Math.max(length, Math.min(start + SECTOR_BYTES, this.seen.length)));
    this.dirtySectors.delete(sector);
  }
}

function* sectorsOf(start: number, end: number): Generator<number> {
  if (end <= start) return;
  const last = Math.floor((end - 1) / SECTOR_BYTES);
  for (let sector = Math.floor(start / SECTOR_BYTES); sector <= last; sector++) yield sector;
}

/** What is between the old end and a later write reads as zeros. */
class GrowingBytes {
  length = 0;
  private bytes = new Uint8Array(1024);

  write(bytes: Uint8Array, position: number): void {
    this.resize(Math.max(this.length, position + bytes.length));
    this.bytes.set(bytes, position);
  }

  resize(length: number): void {
    if (length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(length, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    if (length < this.length) this.bytes.fill(0, length, this.length);
    this.length = length;
  }

  slice(start: number, end: number): Uint8Array {
    return this.bytes.slice(start, Math.max(start, Math.min(end, this.length)));
  }
}
