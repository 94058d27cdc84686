/** Rows of text in columns: the first to the left, the others, being numbers, to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = columnWidths(rows);
  return rows
    .map((row) =>
      row
        .map((cell, i) => pad(cell, widths[i]!, i))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((row) => `| ${row.join(" | ")} |`);
  const rule = `|${rows[0]!.map((_, i) => (i === 0 ? " --- " : " ---: ")).join("|")}|`;
  return [head, rule, ...body].join("\n");
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  return rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** A number with as many digits as mean something. */
export function figure(value: number | undefined): string {
  if (value === undefined) return "-";
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
