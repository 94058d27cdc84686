import { dataFields, printable } from "./output.js";

/** "1 txn", "2 txns", "no txns". */
export function countText(count: number, noun: string): string {
  return `${count === 0 ? "no" : count} ${noun}${count === 1 ? "" : "s"}`;
}

const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/** A number of bytes for people: three digits or so. */
export function byteText(bytes: number): string {
  let value = bytes;
  let unit = "bytes";
  for (const next of UNITS) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : 1;
  return bytes === 1 ? "1 byte" : `${value.toFixed(digits)} ${unit}`;
}

const SHOWN_CHARS = 60;

/** What a node holds, on one line: text in quotes, anything else in base64, both shortened. */
export function dataText(data: Uint8Array | null): string {
  const { data: shown, encoding } = dataFields(data);
  if (shown === null) return "null";
  const part = shown.slice(0, SHOWN_CHARS);
  const text = encoding === "utf8" ? printable(JSON.stringify(part)) : `base64:${part}`;
  return shown.length === part.length ? text : `${text}... (${byteText(data?.length ?? 0)})`;
}
