/** A decimal of at most four places, with at least one: Java's way with a double. */
export function decimalText(value: number): string {
  return value.toFixed(4).replace(/(\.\d+?)0+$/, "$1");
}
