import { beginsEpoch, formatZxid, type LogCheck, REPAIR_ADVICE } from "../storage/index.js";
import { repairAdvice } from "./repair-advice.js";

/**
 * Whether the logs of a directory are one history, judged as a start judges it (`log-replay.ts`), but
 * told file by file and to the end: within an epoch zxids follow one another; where a file ends badly,
 * the next one decides, by the zxid that it goes on with, whether anything is missing.
 *
 * A snapshot stands for all txns up to its zxid: a server that was sent one by its leader goes on from
 * there, and a hole before it is no hole.
 */
export interface CheckedLog {
  readonly path: string;
  /** Undefined for a file with a name of its own. */
  readonly nameZxid: number | undefined;
  readonly check: LogCheck;
}

export interface Finding {
  readonly kind: "torn" | "damaged" | "gap" | "repeats" | "misnamed";
  /** Undefined where the whole file is meant. */
  readonly offset?: number;
  readonly found: string;
  readonly advice?: string;
  /** A server starts in spite of it and nothing is missing. */
  readonly sound: boolean;
}

export interface JudgedLog extends CheckedLog {
  readonly findings: readonly Finding[];
}

/** A file by itself: how the next one goes on is not known. */
export function judgeLog(log: CheckedLog): JudgedLog {
  const { verdict, lastZxid } = log.check;
  const findings = [...nameFindings(log), ...innerFindings(log, undefined)];
  if (verdict.kind === "torn") {
    const next = lastZxid === undefined ? "" : `, or if the next one goes on with ${formatZxid(lastZxid + 1)}`;
    const advice = `A crash leaves such a tail: nothing is missing if this is the newest log${next}`;
    findings.push({ kind: "torn", offset: verdict.position, found: verdict.reason, advice, sound: true });
  } else if (verdict.kind === "damaged") findings.push(lastDamage(log, verdict.position, verdict.reason));
  return { ...log, findings };
}

/**
 * @param logs oldest first
 * @param snapshotZxid of the newest whole snapshot, where there is one
 */
export function judgeLogs(logs: readonly CheckedLog[], snapshotZxid: number | undefined): JudgedLog[] {
  let lastZxid: number | undefined;
  return logs.map((log, index) => {
    const before = lastZxid;
    lastZxid = comeTo(before, log);
    const findings = [
      ...nameFindings(log),
      ...beginningFindings(log, before, logs[index - 1], snapshotZxid),
      ...innerFindings(log, snapshotZxid),
      ...endFindings(log, lastZxid, logs[index + 1], snapshotZxid),
    ];
    return { ...log, findings };
  });
}

/** The zxid that the history has come to with this log; the oldest tells by its name where it was to begin. */
function comeTo(before: number | undefined, { nameZxid, check }: CheckedLog): number | undefined {
  if (before === undefined) return check.lastZxid ?? (nameZxid === undefined ? undefined : nameZxid - 1);
  return Math.max(before, check.lastZxid ?? before);
}

/** A file without a txn still tells by its name what it was to go on with. */
function beginningOf({ nameZxid, check: { firstZxid } }: CheckedLog): number | undefined {
  return firstZxid ?? nameZxid;
}

function nameFindings({ nameZxid, check: { firstZxid } }: CheckedLog): Finding[] {
  if (nameZxid === undefined || firstZxid === undefined || nameZxid === firstZxid) return [];
  const found = `its name says that it begins with ${formatZxid(nameZxid)}, it begins with ${formatZxid(firstZxid)}`;
  const advice = `A start looks for txns by the names: rename it to log.${firstZxid.toString(16)}`;
  return [{ kind: "misnamed", found, advice, sound: true }];
}

function beginningFindings(
  log: CheckedLog,
  lastZxid: number | undefined,
  previous: CheckedLog | undefined,
  snapshotZxid: number | undefined,
): Finding[] {
  const first = beginningOf(log);
  if (first === undefined) return [];
  if (lastZxid === undefined || previous === undefined) {
    // Of the oldest log only a snapshot can tell what it has to go on from.
    return snapshotZxid === undefined || isCovered(first, snapshotZxid) ? [] : [gap(snapshotZxid, first, snapshotZxid)];
  }
  if (first === lastZxid + 1 || beginsEpoch(lastZxid, first)) return [];
  // How the log behind a broken one goes on is told with the broken one.
  if (first > lastZxid) return previous.check.verdict.kind === "complete" ? [gap(lastZxid, first, snapshotZxid)] : [];
  if (log.check.txnCount === 0) return [];
  const found = `it goes back to ${formatZxid(first)}; the log before it had come to ${formatZxid(lastZxid)}`;
  return [{ kind: "repeats", found, sound: false }];
}

/** More gaps than this in one file say no more than these. */
const GAPS_TOLD_MAX = 10;

function innerFindings({ check: { gaps } }: CheckedLog, snapshotZxid: number | undefined): Finding[] {
  return gaps.slice(0, GAPS_TOLD_MAX).map(({ position: offset, afterZxid, zxid }) => {
    if (zxid > afterZxid) return { ...gap(afterZxid, zxid, snapshotZxid), offset };
    const found = `it goes back to ${formatZxid(zxid)} after ${formatZxid(afterZxid)}`;
    return { kind: "repeats", offset, found, sound: false };
  });
}

function gap(afterZxid: number, zxid: number, snapshotZxid: number | undefined): Finding {
  const found = `it goes on with ${formatZxid(zxid)} where ${formatZxid(afterZxid + 1)} was to follow`;
  if (isCovered(zxid, snapshotZxid)) {
    return { kind: "gap", found, advice: `Nothing is missing: ${coverText(snapshotZxid)}`, sound: true };
  }
  return { kind: "gap", found, advice: REPAIR_ADVICE, sound: false };
}

/** A start from the snapshot needs nothing that comes before this zxid. */
function isCovered(zxid: number, snapshotZxid: number | undefined): boolean {
  return snapshotZxid !== undefined && (zxid <= snapshotZxid + 1 || beginsEpoch(snapshotZxid, zxid));
}

function coverText(snapshotZxid: number | undefined): string {
  return `the snapshot of ${formatZxid(snapshotZxid ?? 0)} holds what came before`;
}

function endFindings(
  log: CheckedLog,
  lastZxid: number | undefined,
  next: CheckedLog | undefined,
  snapshotZxid: number | undefined,
): Finding[] {
  const { verdict } = log.check;
  if (verdict.kind === "complete") return [];
  const { kind, position: offset, reason } = verdict;
  const following = next === undefined ? undefined : beginningOf(next);
  if (following === undefined || lastZxid === undefined) {
    return [
      kind === "torn"
        ? { kind, offset, found: reason, advice: LAST_TAIL, sound: true }
        : lastDamage(log, offset, reason),
    ];
  }
  const goesOn = `the next log, ${next?.path}, goes on with ${formatZxid(following)}`;
  // Any number of txns of the old epoch may be missing after damage: a new epoch proves nothing then.
  if (following === lastZxid + 1 || (kind === "torn" && beginsEpoch(lastZxid, following))) {
    return [{ kind, offset, found: reason, advice: `Nothing is missing: ${goesOn}`, sound: true }];
  }
  const found = `${reason}, and ${goesOn} where ${formatZxid(lastZxid + 1)} was to follow`;
  if (!isCovered(following, snapshotZxid)) return [{ kind, offset, found, advice: REPAIR_ADVICE, sound: false }];
  const advice = `A start does not need this log: ${coverText(snapshotZxid)}`;
  return [{ kind, offset, found, advice, sound: kind === "torn" }];
}

function lastDamage({ path, check }: CheckedLog, offset: number, found: string): Finding {
  return { kind: "damaged", offset, found, advice: repairAdvice(path, check.lastZxid), sound: false };
}

const LAST_TAIL =
  "A crash leaves such a tail: what it held was never acknowledged, and a start passes over it by itself";
