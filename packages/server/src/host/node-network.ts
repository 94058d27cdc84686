import { connect, createServer, type Socket } from "node:net";
import {
  NetworkError,
  type PeerEndpoint,
  type PeerListener,
  type PeerNetwork,
  type PeerSocket,
  type PeerSocketHandler,
} from "../ports/index.js";

/** The network between servers over TCP. */
export class NodeNetwork implements PeerNetwork {
  private readonly keepAlive: boolean;

  constructor(options: { readonly keepAlive: boolean }) {
    this.keepAlive = options.keepAlive;
  }

  dial({ host, port }: PeerEndpoint, timeoutMs: number): Promise<PeerSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true, keepAlive: this.keepAlive });
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new NetworkError("ETIMEDOUT", `no connection was made within ${timeoutMs} ms`));
      }, timeoutMs);
      const onError = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(new NetworkError(error.code ?? "EIO", error.message, { cause: error }));
      };
      socket.once("error", onError);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", onError);
        resolve(new NodePeerSocket(socket));
      });
    });
  }

  listen({ host, port }: PeerEndpoint, onSocket: (socket: PeerSocket) => void): Promise<PeerListener> {
    const server = createServer({ noDelay: true, keepAlive: this.keepAlive }, (socket) =>
      onSocket(new NodePeerSocket(socket)),
    );
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) =>
        reject(new NetworkError(error.code ?? "EIO", error.message, { cause: error }));
      server.once("error", onError);
      server.listen({ host, port }, () => {
        server.off("error", onError);
        server.on("error", () => {});
        const address = server.address();
        const endpoint = { host, port: typeof address === "object" && address !== null ? address.port : port };
        resolve({ endpoint, close: () => new Promise((done) => server.close(() => done())) });
      });
    });
  }
}

class NodePeerSocket implements PeerSocket {
  readonly remote: string;
  private readonly socket: Socket;
  private ended = false;
  private reason = "the connection was closed by the other side";
  private corked = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.remote = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
    socket.on("error", (error) => {
      this.reason = error.message;
    });
  }

  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  start(handler: PeerSocketHandler): void {
    const { socket } = this;
    socket.on("data", (bytes: Buffer) => {
      if (!this.ended) handler.onBytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    });
    socket.on("drain", () => handler.onDrained());
    socket.on("close", () => {
      this.ended = true;
      handler.onClosed(this.reason);
    });
  }

  send(bytes: Uint8Array): void {
    if (this.ended) return;
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(bytes);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  close(): void {
    if (this.ended) return;
    this.ended = true;
    this.reason = "this side closed the connection";
    this.socket.destroySoon();
  }
}
