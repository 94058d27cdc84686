import { OP } from "@watchkeeper/wire";

/** How a request is handled. What is not listed is a read, or unknown: answered in its place, from the tree alone. */
export const Kind = { read: 0, write: 1, sync: 2, closeSession: 3, auth: 4 } as const;

export function kindOf(opcode: number): number {
  switch (opcode) {
    case OP.create:
    case OP.delete:
    case OP.setData:
    case OP.setACL:
    case OP.multi:
    case OP.create2:
    case OP.reconfig:
    case OP.createContainer:
    case OP.createTTL:
      return Kind.write;
    case OP.sync:
      return Kind.sync;
    case OP.closeSession:
      return Kind.closeSession;
    case OP.auth:
    case OP.sasl:
      return Kind.auth;
    default:
      return Kind.read;
  }
}
