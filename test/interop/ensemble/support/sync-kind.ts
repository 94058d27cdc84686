/**
 * How a learner was brought to its leader's history, by its own log. Apache's follower has a sentence
 * for each; Watchkeeper names the packet.
 */
import type { Member } from "./member.js";

export type SyncKind = "DIFF" | "TRUNC" | "SNAP";

const APACHE: readonly (readonly [SyncKind, string])[] = [
  ["DIFF", "Getting a diff from the leader"],
  ["TRUNC", "Truncating log to get in sync with the leader"],
  ["SNAP", "Getting a snapshot from leader"],
];

/** Every one since the process was started, in order: one that was cut short is followed by another. */
export function syncKindsOf(member: Member): SyncKind[] {
  const log = member.log();
  if (member.kind === "watchkeeper")
    return [...log.matchAll(/\b(DIFF|TRUNC|SNAP)\b/g)].map((match) => match[1] as SyncKind);
  const found = APACHE.flatMap(([kind, sentence]) =>
    [...log.matchAll(new RegExp(sentence, "g"))].map((match) => ({ kind, at: match.index })),
  );
  return found.sort((a, b) => a.at - b.at).map(({ kind }) => kind);
}
