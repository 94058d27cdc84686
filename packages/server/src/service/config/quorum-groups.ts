import { parseServerGroup, parseServerWeight, type ServerGroup, type ServerWeight } from "../../zab/index.js";
import { originPhrase } from "./config-error.js";
import type { GivenValue } from "./given-values.js";
import { conflict } from "./key-verdicts.js";
import { type Member, reading, suffix } from "./members.js";

export interface QuorumGroups {
  readonly groups: readonly ServerGroup[];
  readonly weights: readonly ServerWeight[];
}

/** The group and weight lines; either kind makes quorums hierarchical, and then every voter needs its group. */
export function readQuorumGroups(lines: readonly GivenValue[], members: readonly Member[]): QuorumGroups {
  const groupLines = lines.filter(({ row }) => row.key === "group.G");
  const weightLines = lines.filter(({ row }) => row.key === "weight.N");
  const groups = groupLines.map((given) => ({
    given,
    group: reading(given, () => parseServerGroup(suffix(given), given.text)),
  }));
  const weights = weightLines.map((given) => ({
    given,
    weight: reading(given, () => parseServerWeight(suffix(given), given.text)),
  }));
  if (members.length === 0 || groups.length + weights.length === 0) return { groups: [], weights: [] };
  checkGroups(groups, weights, members);
  checkWeights(weights, members);
  return { groups: groups.map(({ group }) => group), weights: weights.map(({ weight }) => weight) };
}

function placeInGroup(
  id: number,
  given: GivenValue,
  byServer: Map<number, GivenValue>,
  known: ReadonlySet<number>,
): void {
  const other = byServer.get(id);
  if (other !== undefined) {
    throw conflict(
      given,
      `Server ${id} is in multiple groups: ${other.name} (${originPhrase(other.origin)}) has it too`,
    );
  }
  if (!known.has(id)) throw conflict(given, `${given.name} names server ${id}, which is no participant`);
  byServer.set(id, given);
}

interface GroupLine {
  readonly given: GivenValue;
  readonly group: ServerGroup;
}

function checkGroups(groups: readonly GroupLine[], weights: readonly WeightLine[], members: readonly Member[]): void {
  const known = new Set([...votersOf(members).map(({ line }) => line.id), ...weights.map(({ weight }) => weight.id)]);
  const byServer = new Map<number, GivenValue>();
  for (const { given, group } of groups) {
    for (const id of group.members) placeInGroup(id, given, byServer, known);
  }
  const outside = votersOf(members).find(({ line }) => !byServer.has(line.id));
  if (outside === undefined) return;
  const sentence = `Server ${outside.line.id} is not in a group: with group or weight lines every voting server is in one`;
  throw conflict(outside.given, sentence);
}

interface WeightLine {
  readonly given: GivenValue;
  readonly weight: ServerWeight;
}

function checkWeights(weights: readonly WeightLine[], members: readonly Member[]): void {
  const weightOf = new Map(weights.map(({ weight }) => [weight.id, weight.weight]));
  if (votersOf(members).some(({ line }) => weightOf.get(line.id) !== 0)) return;
  const [first] = weights;
  if (first !== undefined) throw conflict(first.given, "every voting server weighs 0: no quorum could ever form");
}

function votersOf(members: readonly Member[]): Member[] {
  return members.filter(({ line }) => line.role === "participant");
}
