import { readLongAsNumber, STAT_OFFSETS } from "@watchkeeper/wire";
import { NODE_KIND, ownerKind, type Tree, ttlMsOf } from "../tree/index.js";

export interface SweepSettings {
  readonly checkIntervalMs: number;
  readonly maxPerMinute: number;
  /** 0: containers that never had a child are kept for ever. */
  readonly maxNeverUsedIntervalMs: number;
}

/** Nodes looked at in one go: a million TTL nodes must not stall the loop. */
const LOOK_AT_ONCE = 2000;

/**
 * Finds containers that have been emptied and TTL nodes whose time is up (Apache's
 * `ContainerManager`). It only proposes: each candidate is checked again when its delete is prepared.
 */
export class ContainerSweeper {
  private readonly tree: Tree;
  private readonly settings: SweepSettings;
  private readonly submit: (node: number) => void;
  private round: Iterator<number> | undefined;
  private nextRoundMs: number;
  private allowance = 0;
  private lastMs: number;

  constructor(tree: Tree, settings: SweepSettings, nowMs: number, submit: (node: number) => void) {
    this.tree = tree;
    this.settings = settings;
    this.submit = submit;
    this.lastMs = nowMs;
    this.nextRoundMs = nowMs + settings.checkIntervalMs;
  }

  /** Called every tick; does a slice of the round that is under way, or begins one. */
  step(nowMs: number, wallMs: number): void {
    this.allowance = Math.min(
      this.allowance + ((nowMs - this.lastMs) * this.settings.maxPerMinute) / 60_000,
      this.settings.maxPerMinute,
    );
    this.lastMs = nowMs;
    if (this.round === undefined) {
      if (nowMs < this.nextRoundMs) return;
      this.nextRoundMs = nowMs + this.settings.checkIntervalMs;
      this.round = candidates(this.tree);
    }
    for (let looked = 0; looked < LOOK_AT_ONCE && this.allowance >= 1; looked++) {
      const next = this.round.next();
      if (next.done === true) {
        this.round = undefined;
        return;
      }
      if (!this.isDue(next.value, wallMs)) continue;
      this.allowance -= 1;
      this.submit(next.value);
    }
  }

  private isDue(node: number, wallMs: number): boolean {
    const { tree } = this;
    if (tree.childCount(node) > 0) return false;
    const ageMs = wallMs - readLongAsNumber(tree.cellBytesOf(node), tree.statStart(node) + STAT_OFFSETS.mtime);
    if (ownerKind(tree.ownerHigh(node), tree.ownerLow(node)) === NODE_KIND.ttl)
      return ageMs > ttlMsOf(tree.ownerHigh(node), tree.ownerLow(node));
    if (tree.creations(node) > 0) return true;
    return this.settings.maxNeverUsedIntervalMs > 0 && ageMs > this.settings.maxNeverUsedIntervalMs;
  }
}

function* candidates(tree: Tree): Generator<number, undefined> {
  yield* tree.containers;
  yield* tree.ttlNodes;
  return undefined;
}
