/**
 * What clients did to an ensemble and what they were told, as the checkers read it. A history says
 * nothing about servers: it is recorded at the clients, by the fault tests on real processes and by the
 * simulator alike, and is therefore free of Node, clocks and codecs.
 *
 * Every data that is written must be unlike any other data of the history: an observed data then names
 * the write it came from.
 */

/** A write of one node. `version` -1 is any. */
export type Write =
  | { readonly kind: "create"; readonly path: string; readonly data: string }
  | { readonly kind: "set"; readonly path: string; readonly data: string; readonly version: number }
  | { readonly kind: "delete"; readonly path: string; readonly version: number };

export type Call =
  /** One write, or several as a multi: all with one zxid, or none. */
  | { readonly kind: "write"; readonly writes: readonly Write[] }
  /** exists and getData in one: what the node holds, or that it is not there. */
  | { readonly kind: "read"; readonly path: string; readonly watch: boolean }
  | { readonly kind: "sync" };

export type WriteError = "NODE_EXISTS" | "NO_NODE" | "BAD_VERSION";

/** A node as a read shows it. */
export interface Observed {
  readonly data: string;
  readonly version: number;
  readonly czxid: number;
  readonly mzxid: number;
}

export interface Answer {
  /** The header's zxid: of a write its own, of a read that of the server's tree. */
  readonly zxid: number;
  /** Orders all that one session received, answers and events together. */
  readonly arrival: number;
  /** Of a write that failed. One that failed for another reason has no effect, and says nothing. */
  readonly error?: WriteError | "OTHER" | undefined;
  /** Of writes that succeeded, in their order: the version that each set made. */
  readonly versions?: readonly (number | undefined)[];
  /** Of a read: undefined where there was no node. */
  readonly node?: Observed | undefined;
}

export interface Operation {
  readonly session: string;
  /** The place in which the session sent it. */
  readonly sequence: number;
  readonly call: Call;
  readonly invokedAt: number;
  /** Undefined where no answer came: it may have happened or not, or may happen yet. */
  readonly returnedAt: number | undefined;
  readonly answer: Answer | undefined;
  /** Requests and events of one connection; watches end with it. */
  readonly connection: number;
}

/** A watch that fired. */
export interface WatchEvent {
  readonly session: string;
  readonly connection: number;
  readonly path: string;
  readonly arrival: number;
}

/** What one server has in the end, when it has everything: read by somebody who first waited for that. */
export interface FinalState {
  readonly server: string;
  readonly nodes: ReadonlyMap<string, Observed>;
}

export interface History {
  readonly operations: readonly Operation[];
  readonly events: readonly WatchEvent[];
  readonly finals: readonly FinalState[];
}

export interface Violation {
  readonly rule:
    | "two writes with one zxid"
    | "real-time order"
    | "sequential model"
    | "data out of nowhere"
    | "a write at two zxids"
    | "a session goes back"
    | "a read at odds with the writes"
    | "a lost write"
    | "servers differ"
    | "a watch event too late";
  readonly detail: string;
}
