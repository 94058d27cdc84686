/**
 * A data directory to be damaged, with what a start must make of each of its beginnings: the state after
 * every txn. Where the entries lie is read here from the format's description, not by the code under test.
 */
import { fingerprint } from "./fingerprint.js";
import { type Files, load } from "./load.js";

export interface LogEntry {
  readonly file: string;
  readonly start: number;
  /** Behind its end mark. */
  readonly end: number;
  readonly zxid: number;
  /** The tree's digest when it had been applied, as its author wrote it; undefined where it wrote none. */
  readonly digest: bigint | undefined;
}

export interface Specimen {
  readonly name: string;
  readonly files: Files;
  /** Oldest first. */
  readonly logs: readonly string[];
  readonly entries: readonly LogEntry[];
  readonly lastZxid: number;
  /** By the zxid of the last txn: what must have been loaded. */
  readonly expected: ReadonlyMap<number, string>;
}

const FILE_HEADER_BYTES = 16;
const ENTRY_HEAD_BYTES = 12;
const TXN_HEADER_BYTES = 32;
/** Zeros left behind a log's last entry: the rest is more of the same. */
const PADDING_KEPT = 700;

export async function makeSpecimen(name: string, given: Files): Promise<Specimen> {
  const files = new Map([...given].map(([file, bytes]) => [file, file.startsWith("log.") ? trimmed(bytes) : bytes]));
  const logs = [...files.keys()].filter((file) => file.startsWith("log.")).sort((a, b) => zxidOf(a) - zxidOf(b));
  const entries = logs.flatMap((file) => entriesOf(file, files.get(file)!));
  const lastZxid = entries.at(-1)!.zxid;
  const expected = new Map<number, string>();
  for (const entry of entries) {
    const outcome = await load(filesUpTo(files, logs, entry));
    if (outcome.kind === "crashed")
      throw new Error(`${name} cannot be loaded up to 0x${entry.zxid.toString(16)}: ${outcome.error}`);
    if (outcome.kind === "refused" || outcome.lastZxid > entry.zxid) continue; // the snapshot needs more than this
    if (outcome.lastZxid < entry.zxid)
      throw new Error(`${name}: the whole entry 0x${entry.zxid.toString(16)} was not loaded`);
    // A fuzzy snapshot is ahead of its name: before the zxid that it reaches there is no state to compare with.
    if ((outcome.database.recovered.pendingDigestZxid ?? 0) > entry.zxid) continue;
    requireDigest(name, entry, outcome.database.tree.digest);
    expected.set(entry.zxid, fingerprint(outcome.database));
  }
  if (!expected.has(lastZxid)) throw new Error(`${name} cannot be loaded whole`);
  return { name, files, logs, entries, lastZxid, expected };
}

/** The digest in the log is its author's: what was loaded must agree with it. */
function requireDigest(
  name: string,
  { zxid, digest }: LogEntry,
  found: { readonly high: number; readonly low: number },
): void {
  if (digest === undefined) return;
  const loaded = (BigInt(found.high >>> 0) << 32n) | BigInt(found.low >>> 0);
  if (loaded !== digest)
    throw new Error(`${name}: the tree at 0x${zxid.toString(16)} has digest ${loaded}, the log says ${digest}`);
}

function filesUpTo(files: Files, logs: readonly string[], last: LogEntry): Files {
  const kept = new Map([...files].filter(([file]) => !file.startsWith("log.")));
  for (const log of logs.slice(0, logs.indexOf(last.file))) kept.set(log, files.get(log)!);
  return kept.set(last.file, files.get(last.file)!.subarray(0, last.end));
}

export function zxidOf(file: string): number {
  return Number.parseInt(file.split(".")[1]!, 16);
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, Math.min(bytes.length, end + PADDING_KEPT));
}

function entriesOf(file: string, given: Uint8Array): LogEntry[] {
  const bytes = Buffer.from(given);
  const entries: LogEntry[] = [];
  for (let start = FILE_HEADER_BYTES; start + ENTRY_HEAD_BYTES <= bytes.length; ) {
    const length = bytes.readInt32BE(start + 8);
    if (length === 0) break;
    const payload = start + ENTRY_HEAD_BYTES;
    const end = payload + length + 1;
    const digested = bytes.readInt32BE(payload + 28) !== ERROR_TXN && length >= TXN_HEADER_BYTES + DIGEST_BYTES;
    const digest = digested ? bytes.readBigUInt64BE(payload + length - 8) : undefined;
    const hasDigest = digested && bytes.readInt32BE(payload + length - DIGEST_BYTES) === DIGEST_VERSION;
    entries.push({
      file,
      start,
      end,
      zxid: Number(bytes.readBigInt64BE(payload + 12)),
      digest: hasDigest ? digest : undefined,
    });
    start = end;
  }
  return entries;
}

const ERROR_TXN = -1;
const DIGEST_BYTES = 12;
const DIGEST_VERSION = 2;
