import { connect } from "node:net";
import type { ServerAddress } from "../session/index.js";

/** One connection as its host sees it. */
export interface Transport {
  write(bytes: Uint8Array): void;
  /** Ends it at once; no more is heard of it. */
  destroy(): void;
}

export interface TransportEvents {
  opened(): void;
  chunk(bytes: Uint8Array): void;
  /** The end, once, whoever caused it; not called after `destroy`. */
  closed(reason: string): void;
}

/** Opens a connection; it fails by `closed`, never by throwing. */
export type Dial = (server: ServerAddress, events: TransportEvents) => Transport;

/** Plain TCP. The name is resolved anew for every dial, and all its addresses are tried. */
export const dialTcp: Dial = (server, events) => {
  let live = true;
  let reason = "the server closed the connection";
  const socket = connect({ host: server.host, port: server.port, noDelay: true, keepAlive: true });
  socket.on("connect", () => {
    if (live) events.opened();
  });
  socket.on("data", (bytes) => {
    if (live) events.chunk(bytes);
  });
  socket.on("error", (error) => {
    reason = problemOf(error);
  });
  socket.on("close", () => {
    if (!live) return;
    live = false;
    events.closed(reason);
  });
  return {
    write: (bytes) => {
      socket.write(bytes);
    },
    destroy: () => {
      live = false;
      socket.destroy();
    },
  };
};

function problemOf(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError && error.errors.length > 0) return problemOf(error.errors[0]);
  switch (error.code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "ECONNRESET":
      return "connection reset";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name does not resolve";
    default:
      return error.message;
  }
}
