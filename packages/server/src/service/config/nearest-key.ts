import { keyTable } from "./keys.js";

/**
 * The known key nearest to a misspelled one, for the warning that names it. Distance counts
 * inserted, removed, replaced and swapped characters; a difference in case alone costs a quarter, so
 * that `clientport` finds clientPort before anything else.
 */
export interface NearestKey {
  readonly key: string;
  /** Near enough to be what was meant. */
  readonly likely: boolean;
}

export function nearestKey(name: string): NearestKey {
  const wanted = name.replace(/^zookeeper\./, "").replace(/\.\d+$/, ".N");
  let nearest = "";
  let distance = Number.POSITIVE_INFINITY;
  for (const { key } of keyTable) {
    const candidate = editDistance(wanted, key);
    if (candidate < distance) [nearest, distance] = [key, candidate];
  }
  return { key: nearest, likely: distance <= Math.max(1, wanted.length / 3) };
}

/** Optimal string alignment, row by row: two rows above the current one are all it looks back to. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + replacementCost(from[row - 1]!, to[column - 1]!);
      let cost = Math.min(replaced, above[column]! + 1, current[column - 1]! + 1);
      if (from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1] && row > 1 && column > 1) {
        cost = Math.min(cost, before[column - 2]! + 1);
      }
      current.push(cost);
    }
    [before, above] = [above, current];
  }
  return above[to.length]!;
}

function replacementCost(one: string, other: string): number {
  if (one === other) return 0;
  return one.toLowerCase() === other.toLowerCase() ? 0.25 : 1;
}
