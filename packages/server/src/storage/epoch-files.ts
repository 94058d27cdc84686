import type { Disk } from "../ports/index.js";
import { DataDirectoryError } from "./data-directory-error.js";
import { readSmallFile, replaceSmallFile } from "./small-file.js";

/**
 * The two epochs of a member of an ensemble, each a decimal number in a file beside the snapshots: the
 * epoch it has promised to accept, and the one it has taken part in. A standalone server has neither.
 */
export type EpochName = "acceptedEpoch" | "currentEpoch";

/** @returns undefined where the server has never been a member of an ensemble */
export async function readEpoch(disk: Disk, snapDirectory: string, name: EpochName): Promise<number | undefined> {
  const path = disk.join(snapDirectory, name);
  const text = await readSmallFile(disk, path);
  if (text === undefined) return undefined;
  const line = text.split("\n", 1)[0]!.trimEnd();
  const epoch = Number(line);
  if (!/^\d{1,10}$/.test(line) || epoch >= 2 ** 31) {
    const found = `an epoch is a decimal number below 2^31, found ${JSON.stringify(line.slice(0, 40))}`;
    const advice =
      "Move the contents of this server's version-2 directories away: it then copies everything from the leader";
    throw new DataDirectoryError({ file: path, found, advice });
  }
  return epoch;
}

/** Resolves when the epoch is on the disk: only then may it be promised to others. */
export async function writeEpoch(disk: Disk, snapDirectory: string, name: EpochName, epoch: number): Promise<void> {
  await replaceSmallFile(disk, snapDirectory, name, String(epoch));
}
