import { ERR, OP, operationName, readInt } from "@watchkeeper/wire";
import type { Logger } from "../ports/index.js";
import type { AccessControl, Identity } from "../requests/index.js";
import { readAuthPacket } from "./auth-packet.js";
import type { Connection } from "./connection.js";
import { beginReply, endFrame, writeHeaderReply } from "./replies.js";

/** Of one connection: each is compared with each entry of a list on every check. */
export const IDENTITIES_MAX = 1000;

/** What connections show to prove who they are, and the answers to it. Frames begin with the request's header. */
export class Authenticator {
  private readonly access: AccessControl;
  private readonly logger: Logger;

  constructor(access: AccessControl, logger: Logger) {
    this.access = access;
    this.logger = logger;
  }

  /** Whom the credentials prove; undefined where they are to be refused. */
  identities(connection: Connection, bytes: Uint8Array, start: number, end: number): Identity[] | undefined {
    const packet = readInt(bytes, start + 4) === OP.auth ? readAuthPacket(bytes, start + 8, end) : undefined;
    return packet && this.access.authenticate(packet.scheme, packet.credential, connection.address);
  }

  /** @returns false where the connection has too many: then there is no answer */
  take(connection: Connection, identities: readonly Identity[], xid: number): boolean {
    if (connection.identities.length + identities.length > IDENTITIES_MAX) return false;
    for (const identity of identities) {
      const known = connection.identities.some((one) => one.scheme === identity.scheme && one.id === identity.id);
      if (!known) connection.identities = [...connection.identities, identity];
    }
    writeHeaderReply(connection.writer(), xid, 0, 0);
    return true;
  }

  refuse(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    const opcode = readInt(bytes, start + 4);
    const writer = connection.writer();
    const at = beginReply(writer, readInt(bytes, start), 0, ERR.AUTH_FAILED);
    if (opcode === OP.sasl) writer.buffer(null);
    endFrame(writer, at);
    const packet = opcode === OP.auth ? readAuthPacket(bytes, start + 8, end) : undefined;
    const scheme = packet?.scheme.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 64) ?? operationName(opcode);
    this.logger.warn({ remote: connection.address, scheme }, "Refused a client's credentials");
  }
}
