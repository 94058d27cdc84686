/**
 * Files cut at every byte, bits flipped anywhere: a start then either has all whole txns, or refuses
 * and names file and offset. What it must never do is to serve a tree that is not a state of the
 * history, or a state before the last one where the file's end does not explain it.
 */

import { SeededRandom } from "../../support/seeded-random.js";
import type { FaultReport, Progress } from "../support/fault-report.js";
import { fingerprint } from "./fingerprint.js";
import { type LoadOutcome, load } from "./load.js";
import type { Specimen } from "./specimen.js";
import { allSpecimens } from "./specimens.js";

export interface CorruptOptions {
  readonly seed: number;
  /** Every so many bytes a file is cut; 1 cuts at every byte. */
  readonly cutStep: number;
  /** Of each directory. */
  readonly flips: number;
}

interface Damage {
  readonly file: string;
  /** The first byte that is changed or gone. */
  readonly offset: number;
  readonly kind: "cut" | "flip";
  readonly bytes: Uint8Array;
}

const FAULTS_SHOWN_MAX = 20;

export async function corrupt(options: CorruptOptions, progress: Progress): Promise<FaultReport> {
  const random = new SeededRandom(options.seed);
  const counts = { cuts: 0, flips: 0, loaded: 0, cutShort: 0, refused: 0 };
  const faults: string[] = [];
  const specimens = await allSpecimens();
  for (const specimen of specimens) {
    for (const damage of damages(specimen, options, random)) {
      const outcome = await load(new Map([...specimen.files, [damage.file, damage.bytes]]));
      const fault = faultOf(specimen, damage, outcome);
      if (fault !== undefined)
        faults.push(`${specimen.name}: ${damage.kind} of ${damage.file} at ${damage.offset}: ${fault}`);
      counts[damage.kind === "cut" ? "cuts" : "flips"] += 1;
      if (outcome.kind === "refused") counts.refused += 1;
      else if (outcome.kind === "loaded") counts[outcome.lastZxid === specimen.lastZxid ? "loaded" : "cutShort"] += 1;
    }
    progress(
      `${specimen.name}: ${specimen.entries.length} txns in ${specimen.files.size} files; so far ${JSON.stringify(counts)}`,
    );
  }
  const summary =
    `${counts.cuts} cuts and ${counts.flips} flips in ${specimens.length} directories, seed ${options.seed}: ` +
    `${counts.loaded} started with everything, ${counts.cutShort} with all whole txns before the torn end, ` +
    `${counts.refused} refused with file and offset, ${faults.length} wrong`;
  return { summary, faults: faults.slice(0, FAULTS_SHOWN_MAX) };
}

function* damages(specimen: Specimen, options: CorruptOptions, random: SeededRandom): Generator<Damage> {
  for (const [file, bytes] of specimen.files) {
    for (let offset = random.below(options.cutStep); offset < bytes.length; offset += options.cutStep) {
      yield { file, offset, kind: "cut", bytes: bytes.subarray(0, offset) };
    }
  }
  const files = [...specimen.files];
  for (let i = 0; i < options.flips; i++) {
    const [file, bytes] = random.pick(files);
    const offset = random.below(bytes.length);
    const flipped = Uint8Array.from(bytes);
    flipped[offset]! ^= random.chance(0.7) ? 1 << random.below(8) : 1 + random.below(255);
    yield { file, offset, kind: "flip", bytes: flipped };
  }
}

/** What is wrong with how a start dealt with the damage; undefined where nothing is. */
function faultOf(specimen: Specimen, damage: Damage, outcome: LoadOutcome): string | undefined {
  if (outcome.kind === "crashed") return `the start crashed: ${outcome.error}`;
  const inLastLog = damage.file === specimen.logs.at(-1);
  if (outcome.kind === "refused") {
    const { message } = outcome.error;
    if (inLastLog && damage.kind === "cut") return `a torn tail keeps the server from starting: ${message}`;
    const told = [message, ...outcome.complaints].join("\n");
    // Where a log ends too early, the one after it is where the history is seen to break.
    const next = specimen.logs[specimen.logs.indexOf(damage.file) + 1] ?? damage.file;
    return told.includes(damage.file) || message.includes(next)
      ? undefined
      : `the refusal names neither the file nor the next: ${told}`;
  }
  const { lastZxid } = outcome;
  const expected = specimen.expected.get(lastZxid);
  if (expected !== fingerprint(outcome.database))
    return `a wrong tree at zxid 0x${lastZxid.toString(16)}: ${outcome.complaints.join("; ")}`;
  if (damage.kind === "cut" && inLastLog) {
    const whole = lastWhole(specimen, damage);
    return lastZxid === whole
      ? undefined
      : `started at 0x${lastZxid.toString(16)}, whole txns lead to 0x${whole.toString(16)}`;
  }
  if (lastZxid === specimen.lastZxid) return undefined;
  const last = specimen.entries.at(-1)!;
  const before = specimen.entries.at(-2)!;
  const looksTorn = inLastLog && damage.offset >= last.start && damage.offset < last.end && lastZxid === before.zxid;
  if (!looksTorn)
    return `txns after 0x${lastZxid.toString(16)} are gone, of 0x${specimen.lastZxid.toString(16)}, in silence`;
  return outcome.complaints.some((line) => line.includes(damage.file))
    ? undefined
    : "the last txn was cut without a word";
}

/** The zxid of the last txn before a cut of the last log. */
function lastWhole(specimen: Specimen, { file, offset }: Damage): number {
  return specimen.entries.findLast((entry) => entry.file !== file || entry.end <= offset)!.zxid;
}
