/** What a server says of itself, as far as the table shows it. */
export type Observation =
  /** Nobody answered. */
  | { readonly kind: "silent" }
  /** Alive, and without a leader. */
  | { readonly kind: "looking" }
  | {
      readonly kind: "serving";
      /** leader, follower, observer, read-only, standalone */
      readonly mode: string;
      readonly zxid: number;
      readonly connections: number;
    };

/** Reads an answer to `srvr`. */
export function observationIn(answer: string | undefined): Observation {
  if (answer === undefined) return { kind: "silent" };
  const mode = field(answer, "Mode");
  if (mode === undefined) return { kind: answer.includes("not currently serving requests") ? "looking" : "silent" };
  return {
    kind: "serving",
    mode,
    zxid: Number(field(answer, "Zxid") ?? 0),
    // The connection of the word itself is one of them.
    connections: Math.max(0, Number(field(answer, "Connections") ?? 1) - 1),
  };
}

function field(answer: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, "m").exec(answer)?.[1];
}

/** What the table says of the role. */
export function roleOf(observation: Observation): string {
  switch (observation.kind) {
    case "silent":
      return "-";
    case "looking":
      return "looking";
    case "serving":
      return observation.mode;
  }
}

const COUNTERS = 2 ** 32;

/** How far a zxid is behind the leader's: in txns, or only that it is of an earlier epoch. */
export function lagBehind(leaderZxid: number, zxid: number): string {
  if (zxid >= leaderZxid) return "0";
  if (Math.floor(leaderZxid / COUNTERS) === Math.floor(zxid / COUNTERS)) return String(leaderZxid - zxid);
  // A leader whose epoch has no txn yet: everybody who has the last one of the epoch before is in step.
  return leaderZxid % COUNTERS === 0 ? "0" : "an epoch";
}
