import { type ErrorName as WireErrorName, errorCodes as wireErrorCodes } from "@watchkeeper/wire";

/** What happened, as a name that programs look at: the protocol's own, and "ABORTED", which only a caller can be. */
export type ErrorName = WireErrorName | "ABORTED";

/** What there is to know of an error by its name. */
export interface ErrorCode {
  /** The number by which servers tell it; -1001 and below are this client's own and never seen on a wire. */
  readonly code: number;
  /** For people, and the beginning of `ZkError.message`. */
  readonly sentence: string;
  /** "server": comes in replies; "client": arises on this side; "reserved": is never seen. */
  readonly origin: "server" | "client" | "reserved";
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
}

/** Every name a `ZkError` can carry: those of the protocol, and what only a client can meet. */
export const errorCodes: Readonly<Record<ErrorName, ErrorCode>> = {
  ...wireErrorCodes,
  ABORTED: { code: -1001, sentence: "the caller gave it up", origin: "client", retryable: false },
};
