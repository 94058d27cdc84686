/**
 * What a replica needs of the world, as types: clock, randomness, disk, log lines. Pure code takes
 * them as parameters; `host` gives it Node's, `testing` gives it turned and faulty ones.
 */
export type { Clock } from "./clock.js";
export type { Digester } from "./digester.js";
export { type Disk, DiskError, type DiskFile, type OpenOptions } from "./disk.js";
export type { Logger } from "./logger.js";
export {
  NetworkError,
  type PeerEndpoint,
  type PeerListener,
  type PeerNetwork,
  type PeerSocket,
  type PeerSocketHandler,
} from "./network.js";
export type { Random } from "./random.js";
export type { Scheduler, Timer } from "./scheduler.js";
