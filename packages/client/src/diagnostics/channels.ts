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

export interface CallStarted {
  readonly operation: string;
  readonly path: string | undefined;
  readonly sessionId: bigint;
}

export interface CallEnded extends CallStarted {
  readonly durationMs: number;
  readonly error: ZkError | undefined;
}

export interface ServerDialed {
  /** As "host:port". */
  readonly server: string;
}

export interface StateChanged {
  readonly state: SessionState;
  readonly sessionId: bigint;
  readonly server: string | undefined;
  /** Why the last connection or attempt failed. */
  readonly problem: string | undefined;
}
