import type { ServerAddress } from "../session/index.js";

/**
 * A way to prove who one is. DIGEST-MD5 is built in (`digestMd5`); others, such as GSSAPI on a Kerberos
 * library, are brought along. Every connection is authenticated anew, before anything else is sent.
 */
export interface SaslMechanism {
  /** As SASL calls it, such as "GSSAPI". */
  readonly name: string;
  /** A new exchange, for a new connection to this server. */
  begin(server: ServerAddress): SaslExchange;
}

/** One authentication of one connection. */
export interface SaslExchange {
  /**
   * The client's turn: first with undefined, then with each token of the server (null where it sent
   * none). Throwing or rejecting ends the client with state "auth-failed".
   */
  respond(token: Uint8Array | null | undefined): SaslResponse | Promise<SaslResponse>;
}

/**
 * - `token`: to be sent; the server's answer comes next. With `isLast`, its answer ends the exchange.
 * - no token: the exchange is complete.
 */
export interface SaslResponse {
  readonly token?: Uint8Array | undefined;
  readonly isLast?: boolean | undefined;
}
