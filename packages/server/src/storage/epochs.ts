import { epochOf } from "@watchkeeper/wire";
import type { Disk, Logger } from "../ports/index.js";
import { DataDirectoryError } from "./data-directory-error.js";
import { readEpoch, writeEpoch } from "./epoch-files.js";
import { formatZxid } from "./zxid.js";

/**
 * The two epochs of a member of an ensemble, and the proof that they are on its disk (`QuorumPeer`'s
 * loadDataBase, setAcceptedEpoch and setCurrentEpoch).
 *
 * An epoch that others are told of must not be forgotten: a server that has promised an epoch and forgets it
 * in a power cut promises it again to another leader, and two leaders share an epoch. So whatever sends
 * LEADERINFO, ACKEPOCH or the ack of NEWLEADER asks for one of these tokens, and only a completed disk
 * operation in this file makes one.
 */
const proof: unique symbol = Symbol("on disk");

export interface AcceptedEpochOnDisk {
  readonly epoch: number;
  readonly [proof]: "acceptedEpoch";
}

export interface CurrentEpochOnDisk {
  readonly epoch: number;
  readonly [proof]: "currentEpoch";
}

export interface Epochs {
  /** The highest epoch this server has promised to accept: it follows no leader of a lower one. */
  readonly accepted: AcceptedEpochOnDisk;
  /** The epoch of the last leader whose whole history it has had on disk. */
  readonly current: CurrentEpochOnDisk;
}

/** To be called with a higher epoch than before. Resolves when it is on the disk. */
export async function writeAcceptedEpoch(
  disk: Disk,
  snapDirectory: string,
  epoch: number,
): Promise<AcceptedEpochOnDisk> {
  await writeEpoch(disk, snapDirectory, "acceptedEpoch", epoch);
  return { epoch, [proof]: "acceptedEpoch" };
}

/**
 * To be called when the leader's history, which is the epoch's beginning, is on the disk, and not before: a
 * server that has the epoch and not the history wins an election it must lose (ZOOKEEPER-4643). Resolves
 * when it is on the disk.
 */
export async function writeCurrentEpoch(disk: Disk, snapDirectory: string, epoch: number): Promise<CurrentEpochOnDisk> {
  await writeEpoch(disk, snapDirectory, "currentEpoch", epoch);
  return { epoch, [proof]: "currentEpoch" };
}

/**
 * The epochs as a start finds them, behind recovery; files that are missing, as in a directory that a
 * standalone server wrote, are made.
 *
 * A log that is ahead of currentEpoch is what a crash leaves between a leader's history and the epoch
 * (Apache does not start then). The log was found to be continuous, so it holds the whole beginning of
 * the epoch of its last txn, and currentEpoch may become that: but only where the server has accepted it,
 * for otherwise the two are not of one history. What an unfinished `currentEpoch.tmp` says is not
 * looked at: releases before 3.8.5 wrote it before the history.
 * @param lastZxid as recovered; -1 for none
 * @throws DataDirectoryError where the files contradict each other
 */
export async function loadEpochs(disk: Disk, snapDirectory: string, lastZxid: number, logger: Logger): Promise<Epochs> {
  const zxidEpoch = Math.max(0, epochOf(lastZxid));
  const acceptedFound = await readEpoch(disk, snapDirectory, "acceptedEpoch");
  const currentFound = await readEpoch(disk, snapDirectory, "currentEpoch");
  const accepted = acceptedFound ?? Math.max(zxidEpoch, currentFound ?? 0);
  const current = Math.max(zxidEpoch, currentFound ?? 0);

  if (currentFound !== undefined && accepted < currentFound) {
    const found = `it holds ${accepted}, less than currentEpoch, which holds ${currentFound}`;
    throw contradiction(disk.join(snapDirectory, "acceptedEpoch"), found);
  }
  if (accepted < zxidEpoch) {
    const found = `it holds ${accepted}, but the last txn, ${formatZxid(lastZxid)}, is of epoch ${zxidEpoch}`;
    throw contradiction(disk.join(snapDirectory, "acceptedEpoch"), found);
  }
  if (currentFound !== undefined && current > currentFound) {
    const file = disk.join(snapDirectory, "currentEpoch");
    const sentence =
      `currentEpoch was ${currentFound} and becomes ${current}, the epoch of the last txn, ${formatZxid(lastZxid)}: ` +
      "the server had ended between logging its leader's history and noting its epoch";
    logger.warn({ file, lastZxid }, sentence);
  }
  // The name of a file that was found may not have been synced by who wrote it.
  await disk.syncDirectory(snapDirectory);
  // The promise first: acceptedEpoch must never be the lower one.
  return {
    accepted:
      accepted === acceptedFound
        ? { epoch: accepted, [proof]: "acceptedEpoch" }
        : await writeAcceptedEpoch(disk, snapDirectory, accepted),
    current:
      current === currentFound
        ? { epoch: current, [proof]: "currentEpoch" }
        : await writeCurrentEpoch(disk, snapDirectory, current),
  };
}

function contradiction(file: string, found: string): DataDirectoryError {
  const advice =
    "These files are not of one server's history. In an ensemble with healthy members, move the contents of this " +
    "server's version-2 directories away: it then copies everything from the leader";
  return new DataDirectoryError({ file, found, advice });
}
