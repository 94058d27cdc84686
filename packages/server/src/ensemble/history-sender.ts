import { type ByteWriter, PACKET, writeQuorumPacket, writeQuorumPacketData } from "@watchkeeper/wire";
import type { Replica } from "../replica/index.js";
import { snapshotPieces } from "../storage/index.js";
import { continuesHistory, formatZxid, HistoryWalk, planSync } from "../zab/index.js";
import { Gate } from "./deadline.js";
import type { Leader } from "./leader.js";
import type { LearnerHandler } from "./learner-handler.js";
import { LinkError } from "./packet-link.js";
import { initLimitMs } from "./peer-settings.js";
import type { HistoryOnDisk } from "./server-state.js";

/**
 * Brings a learner to its leader's history (`LearnerHandler.syncFollower`, section 7): by the txns it lacks, out of
 * memory or out of the log, by cutting off what the leader does not have, or by a snapshot. In the turn in
 * which that history ends, the learner is registered for all that follows.
 *
 * The history is what is applied and what is logged and not applied yet; in the beginning of an epoch that is
 * all of the leader's log, and later what is committed.
 */
export async function sendHistory(
  handler: LearnerHandler,
  leader: Leader,
  replica: Replica,
  onDisk: HistoryOnDisk,
  peerLastZxid: number,
): Promise<"DIFF" | "TRUNC" | "SNAP"> {
  // A tree that is behind what the learner has would take it off a disk that a quorum may count on.
  if (leader.parts.settings.alwaysSendsSnapshot && peerLastZxid <= replica.pipeline.lastZxid) {
    await sendSnapshot(handler, leader, replica);
    return "SNAP";
  }
  if (peerLastZxid < 0 && replica.pipeline.lastZxid < historyEnd(leader, replica)) await wholeTree(leader, replica);
  for (;;) {
    const end = historyEnd(leader, replica);
    const first = memoryStart(replica, end);
    const inputs = { peerLastZxid, lastProcessed: end, committed: { min: first, max: end } };
    let plan = planSync({ ...inputs, logReachesPeer: false });
    if (plan.kind === "snap" && peerLastZxid >= 0 && peerLastZxid < first) {
      const logReachesPeer = await onDisk.reaches(peerLastZxid, first);
      // Others were served meanwhile: what memory holds may be other txns by now.
      if (memoryStart(replica, end) !== first) continue;
      plan = planSync({ ...inputs, logReachesPeer });
    }
    switch (plan.kind) {
      case "trunc":
        handler.beginSync("diff");
        writeQuorumPacket(handler.out(), PACKET.trunc, plan.zxid);
        forwardFrom(handler, leader, replica, plan.zxid);
        return "TRUNC";
      case "snap":
        await sendSnapshot(handler, leader, replica);
        return "SNAP";
      case "diff":
        if (plan.from === "nothing" || canWalk(replica, peerLastZxid, first, end, plan.from === "log")) {
          handler.beginSync("diff");
          writeQuorumPacket(handler.out(), PACKET.diff, plan.zxid);
          await sendTxns(handler, leader, replica, onDisk, peerLastZxid);
          return "DIFF";
        }
        await sendSnapshot(handler, leader, replica);
        return "SNAP";
    }
  }
}

/**
 * Up to here the history is the learners' too: all of the log before the epoch is established, later what is committed.
 * That may be more than is applied: a quorum of followers has it on disk, and this server's own disk is slower.
 * Were a follower told to cut it off, its disk would be missing in that quorum until it has it again.
 */
function historyEnd(leader: Leader, replica: Replica): number {
  const { lastZxid } = replica.pipeline;
  if (!leader.established.isOpen) return replica.pipeline.loggedZxid;
  return leader.lastCommitted === leader.historyZxid ? lastZxid : Math.max(lastZxid, leader.lastCommitted);
}

/**
 * Waits until the tree holds all that is committed. Who has nothing to tell of its history may have one that could not be
 * cut, and be one of those who have a committed txn on their disks: a snapshot that lacks it would take it from there,
 * if only until it comes again behind the snapshot.
 */
async function wholeTree(leader: Leader, replica: Replica): Promise<void> {
  const { scheduler, settings } = leader.parts;
  const applied = new Gate<void>();
  leader.established.wait().then(
    () => replica.pipeline.afterApplied(historyEnd(leader, replica), () => applied.open()),
    (error) => applied.fail(error),
  );
  const limitMs = initLimitMs(settings);
  await applied.within(
    scheduler,
    limitMs,
    `this leader's tree did not hold all of its history within initLimit (${limitMs} ms), and without that a snapshot is none for a server that may have some of it`,
  );
}

/** The first txn of the history that memory still holds; undefined where it holds none, as after a start. */
function firstInMemory({ committedLog, pipeline }: Replica): number | undefined {
  if (committedLog.firstZxid !== undefined) return committedLog.firstZxid;
  for (const { zxid } of pipeline.unkept(0)) return zxid;
  return undefined;
}

/** Where the log must lead to: the first txn in memory, or the end of the history where memory has nothing of it. */
function memoryStart(replica: Replica, end: number): number {
  return Math.min(firstInMemory(replica) ?? end, end);
}

function* inMemory(replica: Replica, afterZxid: number, throughZxid: number) {
  for (const txn of replica.committedLog.after(afterZxid)) if (txn.zxid <= throughZxid) yield txn;
  for (const txn of replica.pipeline.unkept(afterZxid)) if (txn.zxid <= throughZxid) yield txn;
}

/** Whether what memory holds joins the learner's history without a gap, before a first packet is sent. */
function canWalk(replica: Replica, peerLastZxid: number, first: number, end: number, behindLog: boolean): boolean {
  if (behindLog || peerLastZxid === end) return true; // the log was surveyed
  const walk = new HistoryWalk(peerLastZxid);
  for (const { zxid } of inMemory(replica, first - 1, end)) if (walk.next(zxid) === "give-up") return false;
  return walk.hasJoined;
}

/**
 * PROPOSAL and COMMIT of each txn after `afterZxid`. The log is read while others are served, so memory may have
 * moved on when it has been read: then what is missing in between is read too.
 */
async function sendTxns(
  handler: LearnerHandler,
  leader: Leader,
  replica: Replica,
  onDisk: HistoryOnDisk,
  afterZxid: number,
): Promise<void> {
  let sent = afterZxid;
  const limitMs = initLimitMs(leader.parts.settings);
  const send = (zxid: number, bytes: Uint8Array, start: number, to: number) => {
    // A learner of Apache's takes a history with a hole for a whole one.
    if (!continuesHistory(sent, zxid))
      throw new LinkError(`this leader's history has nothing between ${formatZxid(sent)} and ${formatZxid(zxid)}`);
    writeCommitted(handler.out(), zxid, bytes, start, to);
    sent = zxid;
  };
  for (;;) {
    const end = historyEnd(leader, replica);
    if (sent >= end || isNextInMemory(replica, sent)) break;
    await onDisk.read(
      sent,
      memoryStart(replica, end),
      (bytes, from, to, zxid) => send(zxid, bytes, from, to),
      () => handler.link.drained(limitMs),
    );
  }
  const end = historyEnd(leader, replica);
  for (const { zxid, bytes, start, end: to } of inMemory(replica, sent, end)) send(zxid, bytes, start, to);
  forwardFrom(handler, leader, replica, sent);
}

/** Whether memory goes on right behind `sent`, across the beginning of an epoch too. */
function isNextInMemory(replica: Replica, sent: number): boolean {
  const first = firstInMemory(replica);
  if (first === undefined) return false;
  if (first <= sent + 1) return true;
  // What is not applied begins right behind what is.
  return replica.committedLog.firstZxid === undefined && replica.pipeline.lastZxid <= sent;
}

/** A txn of the history, as every learner takes it before NEWLEADER. */
export function writeCommitted(writer: ByteWriter, zxid: number, bytes: Uint8Array, start: number, end: number): void {
  writeQuorumPacketData(writer, PACKET.proposal, zxid, bytes, start, end);
  writeQuorumPacket(writer, PACKET.commit, zxid);
}

/**
 * `Leader.startForwarding`: the learner has, or is being sent, everything up to `seen`. What is behind it and
 * committed goes to it as history; what is outstanding, as proposals whose commits follow; what comes, as it
 * comes. All in one turn.
 */
function forwardFrom(handler: LearnerHandler, leader: Leader, replica: Replica, seen: number): void {
  const { committedThrough } = leader;
  for (const { zxid, bytes, start, end } of replica.pipeline.unkept(seen)) {
    if (zxid <= committedThrough) writeCommitted(handler.out(), zxid, bytes, start, end);
    else if (!handler.isObserver) writeQuorumPacketData(handler.out(), PACKET.proposal, zxid, bytes, start, end);
  }
  handler.isForwarded = true;
  leader.startForwarding(handler);
}

/** SNAP: what is applied now, fuzzy; the txns that follow go behind it. */
async function sendSnapshot(handler: LearnerHandler, leader: Leader, replica: Replica): Promise<void> {
  const limitMs = initLimitMs(leader.parts.settings);
  handler.beginSync("snap");
  const source = replica.snapshot();
  writeQuorumPacket(handler.link.writer(), PACKET.snap, source.zxid);
  handler.beginStream();
  forwardFrom(handler, leader, replica, source.zxid);
  for (const piece of snapshotPieces(source)) {
    handler.link.sendShared(piece);
    await handler.link.drained(limitMs);
  }
  handler.endStream();
}
