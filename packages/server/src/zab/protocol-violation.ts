/**
 * What a peer sent that its side of the protocol does not allow. The connection to it must be closed:
 * nothing that it sends afterwards can be believed to be the history it claims to be.
 */
export type ViolationCode =
  /** A txn that does not follow the one before: txns between them would be missing. */
  | "GAP"
  /** A commit of another txn than the oldest pending one, or of none. */
  | "COMMIT_OUT_OF_ORDER"
  /** A packet that has no place in this role or phase. */
  | "UNEXPECTED_PACKET"
  /** A packet of another epoch than this connection's. */
  | "FOREIGN_EPOCH";

export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
  readonly code: ViolationCode;

  constructor(code: ViolationCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}
