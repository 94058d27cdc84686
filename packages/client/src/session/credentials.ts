import { type ByteWriter, OP, operations, XID } from "@watchkeeper/wire";
import type { Call } from "./call.js";
import { appendFrame } from "./frames.js";

/** A credential the application gave, and the call that waits for the server's word on it. */
export interface Credential {
  readonly scheme: string;
  readonly auth: Uint8Array;
  /** Undefined once a server has accepted it. */
  call: Call | undefined;
}

/**
 * Credentials belong to a connection, not to a session: they are sent again on every new one, before
 * anything that may need them. Auth replies overtake other replies but keep their own order.
 */
export class Credentials {
  private readonly stored: Credential[] = [];
  /** Sent on the present connection and not answered yet. */
  private unanswered: Credential[] = [];

  add(credential: Credential): void {
    this.stored.push(credential);
  }

  appendAll(writer: ByteWriter): void {
    this.unanswered = [];
    for (const credential of this.stored) this.append(writer, credential);
  }

  append(writer: ByteWriter, credential: Credential): void {
    this.unanswered.push(credential);
    appendFrame(writer, XID.auth, OP.auth, () =>
      operations.auth.request.encode(writer, { type: 0, scheme: credential.scheme, auth: credential.auth }),
    );
  }

  /** The credential an auth reply speaks of; undefined if none was sent. */
  takeAnswered(): Credential | undefined {
    return this.unanswered.shift();
  }

  /** The calls that still wait for an answer; they never get one any more. */
  takeCalls(): Call[] {
    const calls: Call[] = [];
    for (const credential of this.stored) {
      if (credential.call !== undefined) calls.push(credential.call);
      credential.call = undefined;
    }
    return calls;
  }
}
