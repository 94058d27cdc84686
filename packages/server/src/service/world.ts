import { NodeDisk } from "../host/node-disk.js";
import { NodeNetwork } from "../host/node-network.js";
import { nodeClock, nodeRandom, nodeScheduler } from "../host/node-world.js";
import type { Clock, Disk, PeerNetwork, Random, Scheduler } from "../ports/index.js";
import { lockDataDirectory } from "./data-lock.js";
import { directoryBytes } from "./directory-sizes.js";

/** What a server needs of the world around it: the machine's own, or what a test has put in its place. */
export interface World {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** To the other servers of an ensemble. */
  readonly network: (options: { readonly keepAlive: boolean }) => PeerNetwork;
  /** Takes a data directory for one server alone; the function it returns gives it back. @throws DataLockedError */
  readonly lockDirectory: (directory: string) => () => void;
  /** The bytes of a directory's files together. */
  readonly directoryBytes: (directory: string) => number;
}

export function nodeWorld(): World {
  return {
    disk: new NodeDisk(),
    clock: nodeClock,
    scheduler: nodeScheduler,
    random: nodeRandom,
    network: (options) => new NodeNetwork(options),
    lockDirectory: (directory) => lockDataDirectory(directory),
    directoryBytes,
  };
}
