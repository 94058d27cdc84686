/** How many values of something there were, and how great they were. */
export class Summary {
  count = 0;
  sum = 0;
  max = 0;
  private least = Number.POSITIVE_INFINITY;

  add(value: number): void {
    this.count += 1;
    this.sum += value;
    if (value < this.least) this.least = value;
    if (value > this.max) this.max = value;
  }

  /** 0 before the first value. */
  get min(): number {
    return this.count === 0 ? 0 : this.least;
  }

  get average(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.max = 0;
    this.least = Number.POSITIVE_INFINITY;
  }
}
