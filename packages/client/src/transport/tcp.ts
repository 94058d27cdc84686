import { connect, type Socket } from "node:net";
import { lookupShuffled } from "./lookup.js";
import { socketProblem } from "./socket-problem.js";
import type { Dial, Transport, TransportEvents } from "./transport.js";

const READ_BUFFER_BYTES = 64 * 1024;

/** What a socket reads into, shared by all: a chunk is handled whole before the next one is read. */
let readBuffer: Uint8Array | undefined;

/** Plain TCP. The name is resolved anew for every dial, and all its addresses are tried. */
export const dialTcp: Dial = (server, events) => {
  readBuffer ??= new Uint8Array(READ_BUFFER_BYTES);
  const buffer = readBuffer;
  const link = new SocketLink(events);
  const socket = connect({
    host: server.host,
    port: server.port,
    noDelay: true,
    keepAlive: true,
    lookup: lookupShuffled,
    onread: {
      buffer,
      callback: (count) => {
        link.chunk(buffer.subarray(0, count));
        return true;
      },
    },
  });
  socket.on("connect", () => link.opened());
  return link.follow(socket);
};

/** What TCP and TLS have in common: one end, told once, and silence after `destroy`. */
export class SocketLink {
  private readonly events: TransportEvents;
  private live = true;
  private reason = "the server closed the connection";

  constructor(events: TransportEvents) {
    this.events = events;
  }

  opened(): void {
    if (this.live) this.events.opened();
  }

  chunk(bytes: Uint8Array): void {
    if (this.live) this.events.chunk(bytes);
  }

  follow(socket: Socket): Transport {
    socket.on("error", (error) => {
      this.reason = socketProblem(error);
    });
    socket.on("close", () => {
      if (!this.live) return;
      this.live = false;
      this.events.closed(this.reason);
    });
    return {
      write: (bytes) => {
        socket.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        return socket.writableLength === 0;
      },
      destroy: () => {
        this.live = false;
        socket.destroy();
      },
    };
  }
}
