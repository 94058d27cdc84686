import { WireError } from "@watchkeeper/wire";
import { NetworkError } from "../ports/index.js";
import { SnapshotStreamError } from "../storage/index.js";
import { ProtocolViolation } from "../zab/index.js";
import { DeadlineError } from "./deadline.js";
import { LinkError } from "./packet-link.js";

/**
 * The sentence for what the world did to end a role or a connection: the other side, the network, the time.
 * @returns undefined for what is no affair of theirs: a disk that fails, or a bug of ours. A server must not look
 * for a leader again after that, as if nothing had happened.
 */
export function reasonOf(error: unknown): string | undefined {
  if (error instanceof LinkError || error instanceof ProtocolViolation) return error.message;
  if (error instanceof DeadlineError || error instanceof NetworkError) return error.message;
  if (error instanceof SnapshotStreamError) return error.message;
  if (error instanceof WireError) return `it sent bytes that make no sense: ${error.message}`;
  return undefined;
}
