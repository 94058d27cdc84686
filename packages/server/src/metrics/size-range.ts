/** The last, the least and the greatest of some sizes; -1 each before the first, as with Apache. */
export class SizeRange {
  last = -1;
  min = -1;
  max = -1;

  add(bytes: number): void {
    this.last = bytes;
    if (bytes < this.min || this.min < 0) this.min = bytes;
    if (bytes > this.max) this.max = bytes;
  }

  reset(): void {
    this.last = -1;
    this.min = -1;
    this.max = -1;
  }
}
