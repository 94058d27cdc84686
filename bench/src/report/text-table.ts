/** Rows of text in columns: words to the left, numbers to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]!.map((_, i) => ({
    width: Math.max(...rows.map((row) => row[i]!.length)),
    words: isWords(rows, i),
  }));
  const line = (row: readonly string[]): string =>
    columns.map(({ width, words }, i) => (words ? row[i]!.padEnd(width) : row[i]!.padStart(width))).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((row) => `| ${row.join(" | ")} |`);
  const rule = `|${rows[0]!.map((_, i) => (isWords(rows, i) ? " --- " : " ---: ")).join("|")}|`;
  return [head, rule, ...body].join("\n");
}

function isWords(rows: readonly (readonly string[])[], column: number): boolean {
  return rows.slice(1).some((row) => /^[^\d-]/.test(row[column]!));
}

/** A number with as many digits as mean something. */
export function figure(value: number | undefined): string {
  if (value === undefined) return "-";
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
