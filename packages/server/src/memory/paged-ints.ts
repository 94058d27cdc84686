/**
 * A growing table of 32-bit integers, `stride` of them a row, in pages: growing adds a page and never
 * copies the rest, so that no request pays for a table's doubling, and the garbage collector sees a
 * handful of arrays however many rows there are. Rows are numbered from 1; 0 means "none".
 */
const PAGE_ROWS_BITS = 10;
const PAGE_ROWS = 1 << PAGE_ROWS_BITS;
const PAGE_MASK = PAGE_ROWS - 1;

export class PagedInts {
  private readonly stride: number;
  private readonly pages: Int32Array[] = [];
  private rowsUsed = 1;
  /** Freed rows, chained through their first field. */
  private freeRow = 0;
  private freeRows = 0;

  constructor(stride: number) {
    this.stride = stride;
  }

  get count(): number {
    return this.rowsUsed - 1 - this.freeRows;
  }

  /** One more than the highest row ever in use. */
  get rowsEnd(): number {
    return this.rowsUsed;
  }

  get(row: number, field: number): number {
    return this.pages[row >>> PAGE_ROWS_BITS]![(row & PAGE_MASK) * this.stride + field]!;
  }

  set(row: number, field: number, value: number): void {
    this.pages[row >>> PAGE_ROWS_BITS]![(row & PAGE_MASK) * this.stride + field] = value;
  }

  /** A row of zeros. */
  allocate(): number {
    const row = this.freeRow;
    if (row !== 0) {
      this.freeRow = this.get(row, 0);
      this.freeRows -= 1;
      const from = (row & PAGE_MASK) * this.stride;
      this.pages[row >>> PAGE_ROWS_BITS]!.fill(0, from, from + this.stride);
      return row;
    }
    this.ensure(this.rowsUsed);
    this.rowsUsed += 1;
    return this.rowsUsed - 1;
  }

  /** Makes rows up to and including this one usable, for tables whose rows are numbered elsewhere. */
  ensure(row: number): void {
    while (this.pages.length <= row >>> PAGE_ROWS_BITS) this.pages.push(new Int32Array(PAGE_ROWS * this.stride));
  }

  release(row: number): void {
    this.set(row, 0, this.freeRow);
    this.freeRow = row;
    this.freeRows += 1;
  }
}
