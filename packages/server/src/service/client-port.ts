import type { Server, Socket } from "node:net";
import { type AcceptedSocket, createClientListener } from "../host/client-listener.js";
import type { Counter } from "../metrics/index.js";
import type { Logger } from "../ports/index.js";
import type { Replica } from "../replica/index.js";
import { ClientSocket, type ClientSocketLimits, plainAddress, type WordHandler } from "./client-socket.js";

export interface ClientPortSettings extends ClientSocketLimits {
  readonly host: string;
  readonly port: number;
  /** -1 leaves it to the system. */
  readonly listenBacklog: number;
  /** 0 for no limit, here and in the next. */
  readonly connectionsPerAddressMax: number;
  readonly connectionsMax: number;
  /** As many as leave the server the file descriptors it needs itself. */
  readonly connectionsThatLeaveFiles: number;
}

/** Refusals of one kind are logged at most once in this time, with their count. */
const REFUSAL_LOG_INTERVAL_MS = 5000;

/** Where clients connect. */
export class ClientPort {
  private readonly settings: ClientPortSettings;
  private readonly replica: () => Replica;
  private readonly onWord: WordHandler;
  private readonly refused: Counter;
  private readonly logger: Logger;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly perAddress = new Map<string, number>();
  private refusalsSinceLog = 0;
  private lastRefusalLogMs = Number.NEGATIVE_INFINITY;

  constructor(
    settings: ClientPortSettings,
    replica: () => Replica,
    onWord: WordHandler,
    refused: Counter,
    logger: Logger,
  ) {
    this.refused = refused;
    this.settings = settings;
    this.replica = replica;
    this.onWord = onWord;
    this.logger = logger;
    this.server = createClientListener((accepted) => this.onAccepted(accepted));
  }

  /** @throws the system's error where the address cannot be listened on */
  listen(): Promise<{ host: string; port: number }> {
    const { host, port, listenBacklog } = this.settings;
    const anywhere = host === "0.0.0.0" ? undefined : host; // as with Java, IPv6 too where there is IPv6
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(
        {
          port,
          ...(anywhere === undefined ? {} : { host: anywhere }),
          ...(listenBacklog > 0 ? { backlog: listenBacklog } : {}),
        },
        () => {
          this.server.off("error", reject);
          this.server.on("error", (error) =>
            this.logger.error({ error: error.message }, "The client port met an error"),
          );
          const address = this.server.address();
          resolve({ host, port: typeof address === "object" && address !== null ? address.port : port });
        },
      );
    });
  }

  /** No new connections, no more input; what is in the pipeline may still be answered. */
  stopListening(): void {
    this.server.close();
    for (const socket of this.sockets) socket.pause();
  }

  /** Ends every connection and resolves when all are gone. */
  async close(): Promise<void> {
    this.server.close();
    const closed = [...this.sockets].map((socket) => new Promise<void>((resolve) => socket.once("close", resolve)));
    for (const socket of this.sockets) socket.destroySoon();
    const lingered = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_LINGER_MS).unref());
    await Promise.race([Promise.all(closed), lingered]);
    for (const socket of this.sockets) socket.destroy();
  }

  /** At once, without a word more: the server has failed. */
  destroy(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private onAccepted(accepted: AcceptedSocket): void {
    const { socket } = accepted;
    const address = plainAddress(socket.remoteAddress ?? "");
    const refusal = this.refusalOf(address);
    if (refusal !== undefined) {
      this.logRefusal(address, refusal);
      socket.destroy();
      return;
    }
    const remotePort = socket.remotePort ?? 0;
    const client = new ClientSocket(
      accepted,
      { address, port: remotePort },
      this.replica(),
      this.settings,
      this.onWord,
      (reason) => {
        this.logger.warn({ remote: `${address}:${remotePort}`, reason }, "Closing a client's connection");
      },
    );
    this.sockets.add(client.socket);
    this.perAddress.set(address, (this.perAddress.get(address) ?? 0) + 1);
    client.socket.on("close", () => {
      this.sockets.delete(client.socket);
      const left = (this.perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.perAddress.set(address, left);
      else this.perAddress.delete(address);
    });
  }

  private refusalOf(address: string): string | undefined {
    const { connectionsMax, connectionsPerAddressMax, connectionsThatLeaveFiles } = this.settings;
    if (connectionsPerAddressMax > 0 && (this.perAddress.get(address) ?? 0) >= connectionsPerAddressMax) {
      return `Too many connections from ${address} - max is ${connectionsPerAddressMax} (maxClientCnxns)`;
    }
    if (connectionsMax > 0 && this.sockets.size >= connectionsMax)
      return `Too many connections - max is ${connectionsMax} (maxCnxns)`;
    // The system would close what comes beyond its limit without a word, and then have no file for the log either.
    if (connectionsThatLeaveFiles > 0 && this.sockets.size >= connectionsThatLeaveFiles)
      return `Too many connections - max is ${connectionsThatLeaveFiles}, for the process may open few files. Raise its limit (ulimit -n)`;
    return undefined;
  }

  private logRefusal(remote: string, refusal: string): void {
    this.refused.add(1);
    this.refusalsSinceLog += 1;
    const nowMs = performance.now();
    if (nowMs - this.lastRefusalLogMs < REFUSAL_LOG_INTERVAL_MS) return;
    this.logger.warn({ remote, refused: this.refusalsSinceLog }, refusal);
    this.lastRefusalLogMs = nowMs;
    this.refusalsSinceLog = 0;
  }
}

const CLOSE_LINGER_MS = 2000;
