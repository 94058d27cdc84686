import type { ServerAddress } from "../session/index.js";

/** One connection as its host sees it. */
export interface Transport {
  /** True if all has left, so that the memory may be used again; else the connection reads it until it has. */
  write(bytes: Uint8Array): boolean;
  /** Ends it at once; no more is heard of it. */
  destroy(): void;
}

export interface TransportEvents {
  opened(): void;
  /** The bytes are only lent: their memory is used again after the call. */
  chunk(bytes: Uint8Array): void;
  /** The end, once, whoever caused it; not called after `destroy`. */
  closed(reason: string): void;
}

/** Opens a connection; it fails by `closed`, never by throwing. */
export type Dial = (server: ServerAddress, events: TransportEvents) => Transport;

/** Asks a server whether it is a full one; anything but a clear and prompt yes is a no. */
export type Probe = (server: ServerAddress, answered: (isFull: boolean) => void) => void;
