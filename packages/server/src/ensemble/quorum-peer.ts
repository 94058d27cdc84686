import {
  ByteWriter,
  decodeNotification,
  SERVER_STATE,
  type VoteReport,
  writeNotificationFrame,
} from "@watchkeeper/wire";
import { elapsedMs, type Metrics } from "../metrics/index.js";
import type { Clock, Logger, PeerNetwork, Random, Scheduler, Timer } from "../ports/index.js";
import { Election, type ElectionOptions, initialProposal, type ServingState, type Vote } from "../zab/index.js";
import type { ElectionConnections } from "./election-connections.js";
import { Leader } from "./leader.js";
import { delay } from "./leader-connection.js";
import { Learner } from "./learner.js";
import type { PeerSettings } from "./peer-settings.js";
import { ReadOnly } from "./read-only.js";
import type { ServerState } from "./server-state.js";

/**
 * One member of an ensemble through its life (Apache's `QuorumPeer`): it looks for a leader, leads, follows or observes until
 * that ends, and looks again. Its history is what is on its disk: before it votes, everything that was on its
 * way there has arrived.
 */
export interface QuorumPeerParts {
  readonly settings: PeerSettings;
  readonly electionOptions: ElectionOptions;
  readonly connections: ElectionConnections;
  readonly state: ServerState;
  readonly network: PeerNetwork;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** This server's own disk failed, or it has found a bug: it must stop. */
  readonly onFatal: (error: unknown) => void;
}

/** What a member does at the moment. */
export type PeerActivity =
  | { readonly kind: "looking" }
  | { readonly kind: "leading"; readonly leader: Leader }
  | { readonly kind: "following" | "observing"; readonly learner: Learner };

interface Decision {
  readonly state: ServingState;
  readonly vote: Vote;
  /** Those who voted for it. */
  readonly voters: ReadonlySet<number>;
}

export class QuorumPeer {
  activity: PeerActivity = { kind: "looking" };
  readonly metrics: Metrics;
  private lookingSinceMs = 0;
  private readonly parts: QuorumPeerParts;
  private readonly election: Election;
  private timer: Timer | undefined;
  private decided: ((decision: Decision) => void) | undefined;
  /** Those whose votes made this server the leader. */
  private supporters: ReadonlySet<number> = new Set();
  private stopping = false;
  private running: Promise<void> = Promise.resolve();

  constructor(parts: QuorumPeerParts) {
    this.parts = parts;
    this.metrics = parts.state.replica.stats.metrics;
    const { settings, connections, clock, logger } = parts;
    this.election = new Election(
      settings.myid,
      settings.config,
      {
        send: (sids, report, config) => this.notify(sids, report, config),
        haveDelivered: () => connections.haveDelivered(),
        connectAll: () => connections.connectAll(),
        onDecided: (state, vote, voters) => this.decided?.({ state, vote, voters }),
        onVoterLooking: (sid) => {
          if (this.activity.kind === "leading" && this.supporters.has(sid)) this.activity.leader.supporterLooks(sid);
        },
        // Members change only in a later release; what is committed here is what the configuration file says.
        onNewerConfig: (config) =>
          logger.warn(
            { version: config.version },
            "Another server has a newer configuration of the ensemble; this one goes by its own file: make the files equal",
          ),
      },
      parts.electionOptions,
    );
    connections.onMessage = (sid, bytes, start, end) => {
      const said = decodeNotification(bytes, start, end - start);
      if (said !== undefined) this.election.onNotification(sid, said, clock.monotonicMs());
      this.schedule();
    };
  }

  /** @throws NetworkError where the election port cannot be had */
  async start(): Promise<void> {
    await this.parts.connections.start();
    this.running = this.live().catch((error) => this.parts.onFatal(error));
  }

  /** Leaves the ensemble; its history stays on the disk. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.election.stop();
    this.timer?.cancel();
    this.decided?.(NOBODY);
    const { activity } = this;
    if (activity.kind === "leading") activity.leader.resign("this server is being stopped");
    else if (activity.kind !== "looking") activity.learner.resign("this server is being stopped");
    await this.running;
    await this.parts.connections.stop();
  }

  private async live(): Promise<void> {
    const { logger } = this.parts;
    while (!this.stopping) {
      const decision = await this.lookForLeader();
      if (this.stopping) break;
      const reason = await this.serve(decision);
      this.activity = { kind: "looking" };
      if (!this.stopping) logger.warn({ reason }, `Looking for a leader again: ${reason}`);
      await this.quiesce();
    }
  }

  private async lookForLeader(): Promise<Decision> {
    const { settings, state, clock, scheduler, logger, random } = this.parts;
    const { myid, config, observerElectionDelayMsMax } = settings;
    this.activity = { kind: "looking" };
    this.metrics.looking_count.add(1);
    this.lookingSinceMs = clock.monotonicMs();
    if (config.roleOf(myid) === "observer" && observerElectionDelayMsMax > 0)
      await delay(scheduler, random.below(observerElectionDelayMsMax));
    const readOnly = settings.readOnlyModeEnabled
      ? scheduler.after(Math.max(READ_ONLY_AFTER_MS_MIN, settings.tickTimeMs), () => this.serveReadOnly())
      : undefined;
    const decision = await new Promise<Decision>((resolve) => {
      this.decided = resolve;
      if (this.stopping) resolve(NOBODY);
      else {
        logger.info({ zxid: state.lastLoggedZxid, epoch: state.epochs.current.epoch }, "Looking for a leader");
        const initial = initialProposal(myid, config, state.lastLoggedZxid, state.epochs.current.epoch);
        this.election.start(initial, clock.monotonicMs());
        this.schedule();
      }
    });
    this.decided = undefined;
    readOnly?.cancel();
    if (state.replica.isServing) state.replica.stopServing("a leader was found: come back as to a full server");
    return decision;
  }

  private async serve({ state, vote, voters }: Decision): Promise<string> {
    const { parts, metrics } = this;
    this.supporters = voters;
    metrics.election_time.add(this.lookingMs());
    const onEstablished = (epoch: number) => {
      this.election.updateElectionVote(epoch);
      metrics.unavailable_time.add(this.lookingMs());
      if (state === SERVER_STATE.leading) metrics.leader_unavailable_time.add(this.lookingMs());
    };
    if (state === SERVER_STATE.leading) {
      const leader = new Leader({ ...parts, metrics, onEstablished });
      this.activity = { kind: "leading", leader };
      return await leader.lead();
    }
    const isObserver = state === SERVER_STATE.observing;
    const learner = new Learner({ ...parts, metrics, isObserver, onEstablished }, vote.leader);
    this.activity = { kind: isObserver ? "observing" : "following", learner };
    return await learner.follow();
  }

  private lookingMs(): number {
    return elapsedMs(this.lookingSinceMs, this.parts.clock.monotonicMs());
  }

  /**
   * Clients go, or wait for the next leader where that is safe; and what was on its way to the disk arrives: the next vote
   * names the end of the log and its epoch.
   */
  private async quiesce(): Promise<void> {
    const { state } = this.parts;
    const reason = "this server has no leader";
    if (this.stopping) state.replica.stopServing(reason);
    else state.replica.pauseServing(reason);
    await state.settled();
  }

  private serveReadOnly(): void {
    const { state, logger } = this.parts;
    if (state.lastLoggedZxid < 0 || state.replica.isServing) return;
    logger.warn({}, "No leader can be found: serving reads to clients that take a read-only server");
    state.replica.serve(new ReadOnly(state.replica.lastZxid));
  }

  // Notifications.

  private notify(sids: readonly number[], report: VoteReport, config: string): void {
    const writer = new ByteWriter(256 + config.length);
    writeNotificationFrame(writer, report, config);
    const frame = writer.view();
    for (const sid of sids) if (sid !== this.parts.settings.myid) this.parts.connections.send(sid, frame);
  }

  private schedule(): void {
    this.timer?.cancel();
    const { nextTimerMs } = this.election;
    if (nextTimerMs === undefined) return;
    const { scheduler, clock } = this.parts;
    this.timer = scheduler.after(nextTimerMs - clock.monotonicMs(), () => {
      this.election.onTimer(clock.monotonicMs());
      this.schedule();
    });
  }
}

const READ_ONLY_AFTER_MS_MIN = 2000;
const NOBODY: Decision = {
  state: SERVER_STATE.observing,
  vote: { leader: -1, zxid: -1, round: 0, peerEpoch: -1 },
  voters: new Set(),
};
