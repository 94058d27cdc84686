import { readInt, writeInt } from "@watchkeeper/wire";

/**
 * Memory for byte cells outside the garbage-collected heap: what makes a million znodes cost their
 * bytes and little more, and a collection cost nothing for them.
 *
 * Cells of one size class live together in pages of 1 MiB; freed cells of a page are chained through
 * their first four bytes; a page whose cells are all free goes back to the pool. A cell too large for
 * a page has an array of its own.
 *
 * A cell is named by a reference of 32 bits: the page's number and the cell's offset in units of 8 bytes,
 * or the number of a large cell.
 */
const PAGE_BYTES = 1 << 20;
const UNIT_BYTES = 8;
const UNITS_BITS = 17; // PAGE_BYTES / UNIT_BYTES = 2^17
const UNITS_MASK = (1 << UNITS_BITS) - 1;
/** References from here on name cells that have an array of their own, by number. */
const LARGE_FIRST = 2 ** 31;
/** 14 bits of page numbers: 16 GiB of small cells, far beyond what one server is meant to hold. */
const PAGES_MAX = 2 ** 14;
/** Freed pages kept for the next need; more go back to the system. */
const SPARE_PAGES_MAX = 4;

/** Multiples of 8 up to 512, then steps of an eighth up to a fifth of a page. */
const classSizes = ((): number[] => {
  const sizes: number[] = [];
  for (let size = 16; size <= 512; size += UNIT_BYTES) sizes.push(size);
  for (let size = 576; size <= PAGE_BYTES / 5; size = (size + (size >> 3) + UNIT_BYTES - 1) & ~(UNIT_BYTES - 1))
    sizes.push(size);
  return sizes;
})();
const LARGEST_CLASS_BYTES = classSizes.at(-1)!;

const classByUnits = ((): Uint8Array => {
  const classes = new Uint8Array(LARGEST_CLASS_BYTES / UNIT_BYTES + 1);
  for (let units = 0, c = 0; units < classes.length; units++) {
    if (units * UNIT_BYTES > classSizes[c]!) c += 1;
    classes[units] = c;
  }
  return classes;
})();

interface Page {
  bytes: Uint8Array;
  sizeClass: number;
  /** Cells below this offset have been handed out at least once. */
  used: number;
  live: number;
  /** Offset of the first freed cell plus 1, 0 for none. */
  free: number;
  /** Whether it stands in `roomy`: a cell taken and given back for ever must not add an entry each time. */
  listed: boolean;
}

export class CellStore {
  private readonly pages: (Page | undefined)[] = [];
  private readonly freeNumbers: number[] = [];
  private readonly large: (Uint8Array | undefined)[] = [];
  private readonly freeLarge: number[] = [];
  private readonly spare: Uint8Array[] = [];
  /** Pages of each class that had room when last looked at; an entry may be stale. */
  private readonly roomy: number[][] = classSizes.map(() => []);
  private bytesInUse = 0;

  /** Bytes handed out, rounding included. */
  get liveBytes(): number {
    return this.bytesInUse;
  }

  allocate(size: number): number {
    if (size > LARGEST_CLASS_BYTES) return this.allocateLarge(size);
    const sizeClass = classByUnits[(size + UNIT_BYTES - 1) >>> 3]!;
    const cellBytes = classSizes[sizeClass]!;
    this.bytesInUse += cellBytes;
    const roomy = this.roomy[sizeClass]!;
    for (;;) {
      const number = roomy.length > 0 ? roomy[roomy.length - 1]! : this.addPage(sizeClass);
      const page = this.pages[number];
      if (page !== undefined && page.sizeClass === sizeClass) {
        if (page.free !== 0) {
          const offset = page.free - 1;
          page.free = readInt(page.bytes, offset);
          page.live += 1;
          return number * (UNITS_MASK + 1) + offset / UNIT_BYTES;
        }
        if (page.used + cellBytes <= PAGE_BYTES) {
          const offset = page.used;
          page.used += cellBytes;
          page.live += 1;
          return number * (UNITS_MASK + 1) + offset / UNIT_BYTES;
        }
        page.listed = false;
      }
      roomy.pop();
    }
  }

  /** Whether a cell allocated for `oldSize` bytes holds `newSize` as well, without waste. */
  fits(oldSize: number, newSize: number): boolean {
    if (oldSize > LARGEST_CLASS_BYTES || newSize > LARGEST_CLASS_BYTES) return false;
    return classByUnits[(oldSize + UNIT_BYTES - 1) >>> 3] === classByUnits[(newSize + UNIT_BYTES - 1) >>> 3];
  }

  bytesOf(reference: number): Uint8Array {
    return reference >= LARGE_FIRST
      ? this.large[reference - LARGE_FIRST]!
      : this.pages[reference >>> UNITS_BITS]!.bytes;
  }

  offsetOf(reference: number): number {
    return reference >= LARGE_FIRST ? 0 : (reference & UNITS_MASK) << 3;
  }

  release(reference: number): void {
    if (reference >= LARGE_FIRST) {
      this.releaseLarge(reference - LARGE_FIRST);
      return;
    }
    const number = reference >>> UNITS_BITS;
    const page = this.pages[number]!;
    page.live -= 1;
    const cellBytes = classSizes[page.sizeClass]!;
    this.bytesInUse -= cellBytes;
    if (page.live === 0) {
      if (this.spare.length < SPARE_PAGES_MAX) this.spare.push(page.bytes);
      this.dropPage(number);
      return;
    }
    const offset = this.offsetOf(reference);
    writeInt(page.bytes, offset, page.free);
    page.free = offset + 1;
    if (page.listed) return;
    page.listed = true;
    this.roomy[page.sizeClass]!.push(number);
  }

  private allocateLarge(size: number): number {
    const number = this.freeLarge.pop() ?? this.large.length;
    this.large[number] = new Uint8Array(size);
    this.bytesInUse += size;
    return LARGE_FIRST + number;
  }

  private releaseLarge(number: number): void {
    this.bytesInUse -= this.large[number]!.length;
    this.large[number] = undefined;
    this.freeLarge.push(number);
  }

  private addPage(sizeClass: number): number {
    const number = this.takeNumber();
    this.pages[number] = {
      bytes: this.spare.pop() ?? new Uint8Array(PAGE_BYTES),
      sizeClass,
      used: 0,
      live: 0,
      free: 0,
      listed: true,
    };
    this.roomy[sizeClass]!.push(number);
    return number;
  }

  private takeNumber(): number {
    const number = this.freeNumbers.pop();
    if (number !== undefined) return number;
    if (this.pages.length === PAGES_MAX) {
      throw new RangeError(
        `the nodes or watches of this server take more than ${PAGES_MAX} MiB, which is all it can hold`,
      );
    }
    this.pages.push(undefined);
    return this.pages.length - 1;
  }

  private dropPage(number: number): void {
    this.pages[number] = undefined;
    this.freeNumbers.push(number);
  }
}
