/**
 * The network between the servers of an ensemble, as bytes: reliable, ordered streams that may end at
 * any moment and at any byte. The real one is `host/node-network.ts`; the one in `testing` cuts, delays
 * and splits as a test wants.
 */
export interface PeerEndpoint {
  readonly host: string;
  readonly port: number;
}

/** What a connection tells its owner. Nothing is told before `start`, and nothing after `onClosed`. */
export interface PeerSocketHandler {
  /** Bytes have arrived; they are valid during the call only. */
  onBytes(bytes: Uint8Array): void;
  /** All that was sent has left: `unsentBytes` is 0 again. */
  onDrained(): void;
  /** The connection has ended, from whichever side; exactly once. */
  onClosed(reason: string): void;
}

export interface PeerSocket {
  /** The other end, `host:port`. */
  readonly remote: string;
  /** Given to `send` and not yet taken by the network. */
  readonly unsentBytes: number;
  /** To be called once, in the turn in which the socket was handed over. */
  start(handler: PeerSocketHandler): void;
  /** Sends; the bytes must not change afterwards. Ignored on a closed connection. */
  send(bytes: Uint8Array): void;
  /** No `onBytes` until `resume`: the other end is slowed down by the network. */
  pause(): void;
  resume(): void;
  /** What was sent before may still leave; nothing is received any more. `onClosed` follows. Idempotent. */
  close(): void;
}

export interface PeerListener {
  /** Where it listens: the port is the real one, where 0 was asked for. */
  readonly endpoint: PeerEndpoint;
  /** Accepts no more; connections that were accepted stay. */
  close(): Promise<void>;
}

export interface PeerNetwork {
  /** @throws NetworkError where no connection was made within `timeoutMs` */
  dial(endpoint: PeerEndpoint, timeoutMs: number): Promise<PeerSocket>;
  /** @throws NetworkError where the address cannot be had */
  listen(endpoint: PeerEndpoint, onSocket: (socket: PeerSocket) => void): Promise<PeerListener>;
}

export class NetworkError extends Error {
  override readonly name = "NetworkError";
  /** The system's own code: ECONNREFUSED, ETIMEDOUT, EADDRINUSE, ENOTFOUND ... */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
