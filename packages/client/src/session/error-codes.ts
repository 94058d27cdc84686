import { type ErrorName as WireErrorName, errorCodes as wireErrorCodes } from "@watchkeeper/wire";

/**
 * Every code a `ZkError` can carry: those of the protocol, and what only a client can meet. Numbers of
 * the latter are this client's own and never seen on a wire.
 */
export const errorCodes = {
  ...wireErrorCodes,
  ABORTED: { code: -1001, sentence: "the caller gave it up", origin: "client", retryable: false },
} as const;

export type ErrorName = WireErrorName | "ABORTED";
