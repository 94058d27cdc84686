import type { Stat } from "@watchkeeper/client";

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One JSON value on one line; 64-bit numbers as text, which JSON's own numbers cannot hold. */
export function printJson(value: unknown): void {
  printLine(jsonText(value));
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? each.toString() : each));
}

/** Writes to a pipe that may be slow; resolves when more can be written. */
export function writeOut(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()));
}

const strictText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes as text if they are UTF-8, else as base64; JSON has no bytes of its own. */
export function dataFields(data: Uint8Array | null): { data: string | null; encoding: "utf8" | "base64" } {
  if (data === null) return { data: null, encoding: "utf8" };
  try {
    return { data: strictText.decode(data), encoding: "utf8" };
  } catch {
    return { data: Buffer.from(data).toString("base64"), encoding: "base64" };
  }
}

export function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** A Stat for programs: zxids and session ids in the hex of every ZooKeeper tool, times in ISO 8601. */
export function statFields(stat: Stat) {
  return {
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
    ephemeralOwner: hex(stat.ephemeralOwner),
    ctime: isoTime(stat.ctime),
    mtime: isoTime(stat.mtime),
    czxid: hex(stat.czxid),
    mzxid: hex(stat.mzxid),
    pzxid: hex(stat.pzxid),
  };
}

const STAT_NOTES: Readonly<Record<string, string | undefined>> = {
  version: "changes of the data",
  cversion: "changes of the set of children",
  aversion: "changes of the access control list",
  dataLength: "bytes",
  ephemeralOwner: "the session it lives with, 0x0 for none",
  czxid: "the txn that created it",
  mzxid: "the last that changed its data",
  pzxid: "the last that created or deleted a child",
};

export function printStat(stat: Stat): void {
  for (const [name, value] of Object.entries(statFields(stat))) {
    const note = STAT_NOTES[name];
    printLine(
      note === undefined ? `${name.padEnd(14)}  ${value}` : `${name.padEnd(14)}  ${String(value).padEnd(24)}  ${note}`,
    );
  }
}

/** The number itself where it is beyond what a date can be. */
export function isoTime(ms: bigint | number): string {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime()) ? ms.toString() : date.toISOString();
}

/** Control characters would let a node's name or owner write on the operator's terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
