/**
 * Which servers an ensemble is made of, as letters by sid: A is Apache's 3.8.0, T the target, which is
 * Watchkeeper, or Apache's too where `INTEROP_TARGET=apache` proves the tests themselves. In a new
 * ensemble the largest sid leads (`Ensemble.startLedBy`), so the last letter says who.
 */
import type { ServerKind } from "./member.js";

export const targetKind: ServerKind = process.env["INTEROP_TARGET"] === "apache" ? "apache" : "watchkeeper";

export function kindsOf(letters: string): ServerKind[] {
  return [...letters].map((letter) => {
    if (letter === "A") return "apache";
    if (letter === "T") return targetKind;
    throw new Error(`an ensemble is made of A and T, not of ${letter}`);
  });
}

/** With `ENSEMBLE_MIXES=TTT,ATT` only those are tested. */
export function isWanted(letters: string): boolean {
  const { ENSEMBLE_MIXES } = process.env;
  return ENSEMBLE_MIXES === undefined || ENSEMBLE_MIXES.split(",").includes(letters);
}
