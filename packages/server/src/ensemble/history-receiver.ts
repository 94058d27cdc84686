import { decodeText, formatZxid, PACKET, packetName } from "@watchkeeper/wire";
import { type CurrentEpochOnDisk, readSnapshotStream } from "../storage/index.js";
import {
  EnsembleConfig,
  EnsembleConfigError,
  type PendingProposals,
  ProtocolViolation,
  SyncIntake,
} from "../zab/index.js";
import type { Learner } from "./learner.js";
import type { PacketLink, PacketView } from "./packet-link.js";
import { initLimitMs, syncLimitMs } from "./peer-settings.js";

/**
 * Takes over the leader's history (`Learner.syncWithLeader`, F5-F9): DIFF, TRUNC or SNAP, then what follows it,
 * until the leader says UPTODATE.
 *
 * The order is what makes NEWLEADER's acknowledgement worth something: history on the disk, then the epoch, then
 * the ack (ZOOKEEPER-3911, 4643, 4646, 4785). What is proposed and not committed by then is logged afterwards.
 */
export async function takeHistory(learner: Learner, link: PacketLink): Promise<PendingProposals> {
  const { state, settings, isObserver, logger } = learner.parts;
  const limitMs = initLimitMs(settings);
  const first = await link.next(limitMs);
  const { type, zxid } = first;
  logger.info(
    { leader: learner.leaderSid, zxid: formatZxid(zxid), lastZxid: formatZxid(state.lastLoggedZxid) },
    `Taking over the history of server ${learner.leaderSid} by ${packetName(type)}`,
  );
  const intake = new SyncIntake({
    role: isObserver ? "observer" : "follower",
    mode: modeOf(type),
    epoch: learner.epoch,
    baseZxid: type === PACKET.diff ? state.lastLoggedZxid : zxid,
  });
  if (type === PACKET.trunc) {
    if (zxid >= state.lastLoggedZxid)
      throw new ProtocolViolation(
        "UNEXPECTED_PACKET",
        `the leader sent TRUNC to ${formatZxid(zxid)}, and this server's history ends at ${formatZxid(state.lastLoggedZxid)}`,
      );
    await state.truncate(zxid);
  }
  if (type === PACKET.snap) {
    await state.replace(zxid, async (sink) => {
      const { rest } = await readSnapshotStream(link.pieces(limitMs), sink, settings.packetBytesMax);
      link.unread(rest);
    });
  }
  // What was logged under an earlier leader, and is left, is in this leader's history too.
  state.replica.pipeline.commitThrough(state.replica.pipeline.loggedZxid);
  return await new Synchronization(learner, link, intake).run();
}

function modeOf(type: number): "diff" | "trunc" | "snap" {
  if (type === PACKET.diff) return "diff";
  if (type === PACKET.trunc) return "trunc";
  if (type === PACKET.snap) return "snap";
  throw new ProtocolViolation(
    "UNEXPECTED_PACKET",
    `the leader sent ${packetName(type)} in place of DIFF, TRUNC or SNAP`,
  );
}

/** Received, committed and not on the disk yet: above this the leader is read from no faster than the disk writes. */
const UNLOGGED_BYTES_MAX = 16 << 20;

class Synchronization {
  private readonly learner: Learner;
  private readonly link: PacketLink;
  private readonly intake: SyncIntake;
  /** Proposals that are not committed: kept, since the packets' bytes are not. */
  private readonly proposals: PacketView[] = [];
  private head = 0;
  private lastProposed = 0;
  /** That NEWLEADER could be acknowledged. */
  private proof: CurrentEpochOnDisk | undefined;

  constructor(learner: Learner, link: PacketLink, intake: SyncIntake) {
    this.learner = learner;
    this.link = link;
    this.intake = intake;
  }

  async run(): Promise<PendingProposals> {
    const { settings } = this.learner.parts;
    let limitMs = initLimitMs(settings);
    for (;;) {
      const packet = await this.link.next(limitMs);
      switch (packet.type) {
        case PACKET.proposal:
          if (this.intake.proposal(packet.zxid) === "take") this.keep(packet);
          break;
        case PACKET.commit:
        case PACKET.commitAndActivate:
          if (this.intake.commit(packet.zxid) === "take") this.onCommitted();
          break;
        case PACKET.inform:
          if (this.intake.inform(packet.zxid) === "take") {
            this.keep(packet);
            this.onCommitted();
          }
          break;
        case PACKET.newLeader:
          await this.onNewLeader(packet);
          limitMs = syncLimitMs(settings);
          break;
        case PACKET.upToDate:
          return this.onUpToDate();
        default:
          break; // a PING, before UPTODATE, is not answered
      }
      const { pipeline } = this.learner.parts.state.replica;
      if (pipeline.unappliedBytes > UNLOGGED_BYTES_MAX) await pipeline.logged();
    }
  }

  private keep(packet: PacketView): void {
    this.proposals.push(kept(packet));
    this.lastProposed = packet.zxid;
  }

  /** The oldest proposal is part of the history; what is committed behind NEWLEADER's ack is logged after UPTODATE. */
  private onCommitted(): void {
    if (this.proof === undefined) this.logOldest();
  }

  private logOldest(): void {
    const oldest = this.proposals[this.head]!;
    this.head += 1;
    if (this.head > PROPOSALS_KEPT) {
      this.proposals.splice(0, this.head);
      this.head = 0;
    }
    const { pipeline } = this.learner.parts.state.replica;
    this.learner.log(oldest);
    pipeline.commitThrough(oldest.zxid);
  }

  /** N1-N6. */
  private async onNewLeader(packet: PacketView): Promise<void> {
    const { state } = this.learner.parts;
    this.checkConfig(packet);
    this.intake.newLeader(packet.zxid);
    await state.replica.pipeline.logged();
    // Whatever a snapshot was ahead by has been proposed before NEWLEADER, which follows the whole snapshot.
    state.replica.pipeline.digestsCountAfterZxid = this.lastProposed;
    const proof = await state.enterEpoch(this.learner.epoch);
    this.proof = proof;
    this.learner.ackNewLeader(this.link, proof);
  }

  /** One that cannot be read is refused, not acknowledged (15.2 D2); what it says is followed when ensembles can change (section 12). */
  private checkConfig({ bytes, dataStart, dataLength }: PacketView): void {
    if (dataLength <= 1) return;
    try {
      EnsembleConfig.parse(decodeText(bytes, dataStart, dataStart + dataLength));
    } catch (error) {
      if (!(error instanceof EnsembleConfigError)) throw error;
      throw new ProtocolViolation("UNEXPECTED_PACKET", `the leader's configuration makes no sense: ${error.message}`);
    }
  }

  /** What is pending goes the way of every proposal; ACKs follow from the disk. */
  private onUpToDate(): PendingProposals {
    const pending = this.intake.upToDate();
    this.learner.ackNewLeader(this.link, this.proof!);
    while (this.head < this.proposals.length) {
      this.learner.log(this.proposals[this.head]!);
      this.head += 1;
    }
    return pending;
  }
}

const PROPOSALS_KEPT = 1 << 12;

function kept(packet: PacketView): PacketView {
  const bytes = packet.bytes.slice(packet.dataStart, packet.dataStart + Math.max(0, packet.dataLength));
  return { ...packet, bytes, dataStart: 0, dataLength: bytes.length };
}
