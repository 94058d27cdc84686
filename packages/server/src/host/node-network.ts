import { connect, type Server, type Socket } from "node:net";
import {
  NetworkError,
  type PeerEndpoint,
  type PeerListener,
  type PeerNetwork,
  type PeerSocket,
  type PeerSocketHandler,
} from "../ports/index.js";
import { createClientListener } from "./client-listener.js";
import { TIMER_MS_MAX } from "./node-world.js";

export interface NodeNetworkOptions {
  /** Whether the system asks now and then if a silent connection's other end is still there. */
  readonly keepAlive: boolean;
}

const READ_BYTES = 64 << 10;
/** All connections made here are read into one buffer: bytes are good for the time of a call only. */
const sharedBuffer = new Uint8Array(READ_BYTES);
/** How long bytes that were sent before `close` may take to leave. */
const LINGER_MS = 2000;

/** The network between servers: TCP, without delay. */
export class NodeNetwork implements PeerNetwork {
  private readonly keepAlive: boolean;

  constructor({ keepAlive }: NodeNetworkOptions) {
    this.keepAlive = keepAlive;
  }

  dial({ host, port }: PeerEndpoint, timeoutMs: number): Promise<PeerSocket> {
    return new Promise((resolve, reject) => {
      let peer: NodePeerSocket | undefined;
      const callback = (count: number): boolean => {
        peer?.received(sharedBuffer.subarray(0, count));
        return true;
      };
      const socket = connect({ host, port, noDelay: true, onread: { buffer: sharedBuffer, callback } });
      const timer = setTimeout(
        () => {
          const sentence = `no connection to ${formatAddress(host, port)} was made within ${timeoutMs} ms`;
          socket.destroy(Object.assign(new Error(sentence), { code: "ETIMEDOUT" }));
        },
        Math.min(timeoutMs, TIMER_MS_MAX),
      );
      const onError = (error: Error) => {
        clearTimeout(timer);
        reject(networkError(error));
      };
      socket.once("error", onError);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", onError);
        if (this.keepAlive) socket.setKeepAlive(true);
        peer = new NodePeerSocket(socket);
        resolve(peer);
      });
    });
  }

  listen(endpoint: PeerEndpoint, onSocket: (socket: PeerSocket) => void): Promise<PeerListener> {
    const { host, port } = endpoint;
    const server = createClientListener((accepted) => {
      if (this.keepAlive) accepted.socket.setKeepAlive(true);
      const peer = new NodePeerSocket(accepted.socket);
      accepted.onBytes = (bytes) => peer.received(bytes);
      onSocket(peer);
    });
    return new Promise((resolve, reject) => {
      server.once("error", (error) => reject(networkError(error)));
      // As with Java, IPv6 too where there is IPv6.
      server.listen({ port, ...(host === "0.0.0.0" ? {} : { host }) }, () => {
        server.on("error", () => {}); // of a single accept: the others go on
        resolve({ endpoint: { host, port: portOf(server, port) }, close: () => closeListener(server) });
      });
    });
  }
}

function portOf(server: Server, asked: number): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : asked;
}

/** The address is free when `close` returns; that its connections are gone, which Node would report, is not waited for. */
async function closeListener(server: Server): Promise<void> {
  server.close();
}

function networkError(error: NodeJS.ErrnoException): NetworkError {
  return new NetworkError(error.code ?? "EIO", error.message, { cause: error });
}

function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

class NodePeerSocket implements PeerSocket {
  readonly remote: string;
  private readonly socket: Socket;
  private handler: PeerSocketHandler | undefined;
  private phase: "open" | "closing" | "closed" = "open";
  private reason = "the other side closed the connection";
  /** What was sent in this turn: it leaves at its end, in one write. */
  private gathered: Uint8Array[] = [];
  private gatheredBytes = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    this.remote = formatAddress(socket.remoteAddress ?? "unknown", socket.remotePort ?? 0);
    socket.on("error", (error) => {
      this.reason = error.message;
    });
    socket.on("close", () => {
      this.phase = "closed";
      this.handler?.onClosed(this.reason);
    });
  }

  get unsentBytes(): number {
    return this.phase === "closed" ? 0 : this.gatheredBytes + this.socket.writableLength;
  }

  start(handler: PeerSocketHandler): void {
    this.handler = handler;
    if (this.phase === "closed") process.nextTick(() => handler.onClosed(this.reason));
  }

  received(bytes: Uint8Array): void {
    if (this.phase === "open") this.handler?.onBytes(bytes);
  }

  send(bytes: Uint8Array): void {
    if (this.phase !== "open" || bytes.length === 0) return;
    if (this.gathered.length === 0) process.nextTick(() => this.flush());
    this.gathered.push(bytes);
    this.gatheredBytes += bytes.length;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  close(): void {
    if (this.phase !== "open") return;
    this.flush();
    this.phase = "closing";
    this.reason = "this side closed the connection";
    const { socket } = this;
    socket.resume(); // paused, it would never see the other side's end
    socket.destroySoon();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  }

  private flush(): void {
    const { socket, gathered } = this;
    if (gathered.length === 0) return;
    this.gathered = [];
    this.gatheredBytes = 0;
    if (this.phase === "closed") return;
    socket.cork();
    const last = gathered.pop()!;
    for (const bytes of gathered) socket.write(bytes);
    socket.write(last, () => {
      if (this.unsentBytes === 0 && this.phase === "open") this.handler?.onDrained();
    });
    socket.uncork();
  }
}
