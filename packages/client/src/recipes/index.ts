/**
 * What processes agree on by means of a few nodes: locks, elections, barriers, counters, queues, groups.
 * Each is made of the public client alone. What guards something gives a fencing token and a signal that
 * says when to stop; see `Hold`.
 *
 * @module @watchkeeper/client/recipes
 */
export { Barrier } from "./barrier.js";
export { Counter, type CounterEncoding } from "./counter.js";
export { DoubleBarrier } from "./double-barrier.js";
export { Group } from "./group.js";
export { Hold, type HoldEnd, type HoldOptions } from "./hold.js";
export { LeaderElection } from "./leader-election.js";
export { LeaderLatch, type LeaderLatchOptions } from "./leader-latch.js";
export type { LineLayout, LockOptions } from "./line-lock.js";
export { type FairLock, type Lock, type Participant, withLock } from "./lock.js";
export { type MultiHold, MultiLock } from "./multi-lock.js";
export { Mutex } from "./mutex.js";
export { type Part, Partitioner, type PartitionerOptions } from "./partitioner.js";
export type { WaitOptions } from "./patience.js";
export { PersistentEphemeral, type PersistentEphemeralOptions } from "./persistent-ephemeral.js";
export { Queue, type QueueOptions } from "./queue.js";
export type { PutOptions } from "./queue-entries.js";
export { ReadWriteLock } from "./read-write-lock.js";
export { ReentrantMutex } from "./reentrant-mutex.js";
export { Semaphore } from "./semaphore.js";
export { instancesOf, ServiceDiscovery, type ServiceInstance } from "./service-discovery.js";
export { SharedValue, type Versioned } from "./shared-value.js";
export { type WorkItem, WorkQueue } from "./work-queue.js";
