import {
  type Logger,
  NetworkError,
  type PeerEndpoint,
  type PeerListener,
  type PeerNetwork,
  type PeerSocket,
  type Scheduler,
} from "../ports/index.js";

export interface ListenerParts {
  readonly network: PeerNetwork;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Tries of a port that cannot be had; 0 for ever. */
  readonly tries: number;
  readonly onSocket: (socket: PeerSocket) => void;
}

/** A port may still be held by this server's own earlier life. */
const RETRY_MS = 1000;

/** The election port, on every address of this server. */
export class ElectionListener {
  private readonly parts: ListenerParts;
  private readonly listeners: PeerListener[] = [];
  private stopped = false;
  private stopWaiting: () => void = () => {};

  constructor(parts: ListenerParts) {
    this.parts = parts;
  }

  /** Resolves when it listens everywhere, or was closed meanwhile. @throws NetworkError where an address cannot be had */
  async listen(endpoints: readonly PeerEndpoint[]): Promise<void> {
    const results = await Promise.allSettled(endpoints.map((endpoint) => this.listenOn(endpoint)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) return;
    await this.close();
    throw failed.reason;
  }

  async close(): Promise<void> {
    this.stopped = true;
    this.stopWaiting();
    await Promise.all(this.listeners.splice(0).map((listener) => listener.close()));
  }

  private async listenOn(endpoint: PeerEndpoint): Promise<void> {
    const { network, tries, onSocket } = this.parts;
    for (let tried = 1; !this.stopped; tried++) {
      try {
        const listener = await network.listen(endpoint, onSocket);
        if (this.stopped) await listener.close();
        else this.listeners.push(listener);
        return;
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        if (tried === tries) throw cannotListen(endpoint, error);
        this.sayRetry(endpoint, error, tried);
      }
      await this.retryTime();
    }
  }

  private sayRetry({ host, port }: PeerEndpoint, error: NetworkError, tried: number): void {
    const { logger, tries } = this.parts;
    const left = tries === 0 ? "until it can be had" : `${tries - tried} more times`;
    logger.warn(
      { host, port, error: error.message },
      `Cannot listen on the election port: trying again ${left}, a second apart (electionPortBindRetry)`,
    );
  }

  private retryTime(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.parts.scheduler.after(RETRY_MS, resolve);
      const stopOthers = this.stopWaiting;
      this.stopWaiting = () => {
        timer.cancel();
        resolve();
        stopOthers();
      };
    });
  }
}

function cannotListen({ host, port }: PeerEndpoint, cause: NetworkError): NetworkError {
  const sentence =
    `cannot listen on ${host}:${port} for elections: ${cause.message}. See that no other process has the port, ` +
    "and that the address in this server's server line is one of this machine (or set quorumListenOnAllIPs=true)";
  return new NetworkError(cause.code, sentence, { cause });
}
