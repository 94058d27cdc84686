/**
 * What happens in one fault script, all of it drawn from its seed before it begins: the same seed gives the
 * same plan, whatever machine and servers make of it.
 */
import type { SeededRandom } from "../../support/seeded-random.js";
import type { Admission, Direction, Strike } from "./faulty-network.js";

/** So many clients take part; the second one has its connection in a thread of its own. */
export const CLIENTS = 3;
/** Nodes that others change while the clients look on. */
export const SHARED_NODES = 3;
/** In this time things go wrong; after it the networks are sound. */
const FAULTS_MS = 1500;
/** Where one wire falls silent, and nothing else happens: long enough for a server to end a session over it. */
const SILENCE_MS = 2700;

export interface CallLimits {
  readonly timeoutMs: number | undefined;
  readonly whenSuspended: "fail" | "try-all" | "wait";
  /** Given up after so long. */
  readonly abortMs: number | undefined;
}

export type Deed =
  | { readonly kind: "create" | "create two" | "sync"; readonly limits: CallLimits }
  | { readonly kind: "read" | "read and watch" | "one-shot"; readonly node: number; readonly limits: CallLimits }
  | { readonly kind: "stream"; readonly node: number; readonly recursive: boolean; readonly openMs: number }
  | { readonly kind: "addWatch"; readonly node: number };

export type Step =
  | { readonly atMs: number; readonly client: number; readonly deed: Deed }
  | { readonly atMs: number; readonly client: number; readonly strike: Strike }
  | { readonly atMs: number; readonly client: number; readonly admission: Admission }
  | { readonly atMs: number; readonly write: number };

export interface ScriptPlan {
  readonly seed: number;
  /** Not below 1500: of a shorter one, a busy machine loses connections that nothing has struck. */
  readonly sessionTimeoutMs: number;
  /** After this the networks are sound. */
  readonly faultsMs: number;
  readonly steps: readonly Step[];
}

export function drawPlan(seed: number, random: SeededRandom): ScriptPlan {
  return random.chance(0.2) ? drawSilence(seed, random) : drawTrouble(seed, random);
}

/** Every client's wire swallows what is sent, for good: who notices in time keeps the session over another wire. */
function drawSilence(seed: number, random: SeededRandom): ScriptPlan {
  const steps: Step[] = [];
  for (let i = 0; i < 25; i++) steps.push({ atMs: random.below(SILENCE_MS), write: random.below(SHARED_NODES) });
  for (let client = 0; client < CLIENTS; client++) {
    for (let i = 0; i < 10; i++) steps.push({ atMs: random.below(SILENCE_MS), client, deed: drawDeed(random) });
    const direction = random.pick(["to the server", "to the client", "both"] as const);
    steps.push({ atMs: random.below(500), client, strike: { kind: "swallow", direction } });
  }
  return { seed, sessionTimeoutMs: 1500, faultsMs: SILENCE_MS, steps: inOrder(steps) };
}

function drawTrouble(seed: number, random: SeededRandom): ScriptPlan {
  const steps: Step[] = [];
  for (let i = 0; i < 25; i++) steps.push({ atMs: random.below(FAULTS_MS), write: random.below(SHARED_NODES) });
  for (let client = 0; client < CLIENTS; client++) {
    for (let i = 0; i < 30; i++) steps.push({ atMs: random.below(FAULTS_MS), client, deed: drawDeed(random) });
    for (let i = 1 + random.below(4); i > 0; i--) {
      steps.push({ atMs: random.below(FAULTS_MS), client, strike: drawStrike(random) });
    }
    if (random.chance(0.4)) drawOutage(random, client, steps);
  }
  const sessionTimeoutMs = random.pick([1500, 2500, 4000]);
  return { seed, sessionTimeoutMs, faultsMs: FAULTS_MS, steps: inOrder(steps) };
}

function inOrder(steps: readonly Step[]): Step[] {
  return steps.toSorted((one, other) => one.atMs - other.atMs);
}

function drawLimits(random: SeededRandom): CallLimits {
  return {
    timeoutMs: random.chance(0.7) ? 20 + random.below(1200) : undefined,
    whenSuspended: random.pick(["fail", "try-all", "wait"]),
    abortMs: random.chance(0.1) ? random.below(500) : undefined,
  };
}

function drawDeed(random: SeededRandom): Deed {
  const node = random.below(SHARED_NODES);
  const limits = drawLimits(random);
  return random.weighted<() => Deed>([
    [6, () => ({ kind: "create", limits })],
    [2, () => ({ kind: "create two", limits })],
    [1, () => ({ kind: "sync", limits })],
    [8, () => ({ kind: "read", node, limits })],
    [6, () => ({ kind: "read and watch", node, limits })],
    [2, () => ({ kind: "one-shot", node, limits })],
    [2, () => ({ kind: "stream", node, recursive: random.chance(0.5), openMs: random.below(1000) })],
    [1, () => ({ kind: "addWatch", node })],
  ])();
}

function drawStrike(random: SeededRandom): Strike {
  const direction: Direction = random.pick(["to the server", "to the client"]);
  return random.weighted<() => Strike>([
    [4, () => ({ kind: "cut" })],
    [2, () => ({ kind: "cut in a frame", direction })],
    [2, () => ({ kind: "half-close", direction })],
    [1, () => ({ kind: "forget the client" })],
    [4, () => ({ kind: "swallow", direction: random.chance(0.3) ? "both" : direction })],
    [3, () => ({ kind: "delay", delayMs: 1 + random.below(400) })],
    [2, () => ({ kind: "double frames", direction, count: 1 + random.below(3) })],
    [1, () => ({ kind: "double the connection" })],
  ])();
}

/** The servers cannot be reached for a while, and connections are gone. */
function drawOutage(random: SeededRandom, client: number, steps: Step[]): void {
  const atMs = random.below(FAULTS_MS);
  const admission = random.pick(["refused", "black hole"] as const);
  steps.push({ atMs, client, admission });
  if (random.chance(0.7)) steps.push({ atMs, client, strike: { kind: "cut" } });
  steps.push({ atMs: Math.min(atMs + random.below(1400), FAULTS_MS - 1), client, admission: "carried" });
}
