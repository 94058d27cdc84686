import { channel } from "node:diagnostics_channel";
import type { ZkError } from "../errors.js";
import type { SessionState } from "../session/index.js";

/**
 * What a client tells whoever subscribes by `node:diagnostics_channel`; it costs next to nothing until
 * somebody does. Messages are made for each subscriber's eyes only: changing one changes nothing.
 */
export const diagnosticsChannels = {
  /** A call begins: `CallStarted`. */
  callStart: channel("watchkeeper:client:call:start"),
  /** It has ended, well or not: `CallEnded`, the same object as at its start, completed. */
  callEnd: channel("watchkeeper:client:call:end"),
  /** A server is dialed: `ServerDialed`. */
  dial: channel("watchkeeper:client:dial"),
  /** The session's state has changed: `StateChanged`. */
  state: channel("watchkeeper:client:state"),
} as const;

/** Told by channel `watchkeeper:client:call:start`: a call begins. */
export interface CallStarted {
  /** The name of the method. */
  readonly operation: string;
  readonly path: string | undefined;
  readonly sessionId: bigint;
}

/** Told by channel `watchkeeper:client:call:end`: it has ended, after all its tries. */
export interface CallEnded extends CallStarted {
  readonly durationMs: number;
  /** Undefined where it went well. */
  readonly error: ZkError | undefined;
}

/** Told by channel `watchkeeper:client:dial`: a server is dialed. */
export interface ServerDialed {
  /** As "host:port". */
  readonly server: string;
}

/** Told by channel `watchkeeper:client:state`: the session's state has changed. */
export interface StateChanged {
  readonly state: SessionState;
  readonly sessionId: bigint;
  /** As "host:port", or undefined without a connection. */
  readonly server: string | undefined;
  /** Why the last connection or attempt failed. */
  readonly problem: string | undefined;
}
