/** Something that is counted. */
export class Counter {
  value = 0;

  add(count: number): void {
    this.value += count;
  }

  reset(): void {
    this.value = 0;
  }
}
