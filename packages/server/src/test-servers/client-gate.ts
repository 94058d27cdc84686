import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * What stands between a server and its clients: real TCP, on a port that stays the same through restarts. It
 * carries everything over, until it is told to cut a connection, or to carry nothing and tell nobody.
 */
export class ClientGate {
  port: number;
  private readonly serverPort: () => number;
  private readonly links = new Set<ClientLink>();
  private listener: Server | undefined;
  private isSilent = false;

  /** @param port 0 takes a free one */
  constructor(port: number, serverPort: () => number) {
    this.port = port;
    this.serverPort = serverPort;
  }

  /** @throws the system's error where the port cannot be listened on */
  open(): Promise<void> {
    const listener = createServer({ pauseOnConnect: true, noDelay: true }, (client) => this.onClient(client));
    this.listener = listener;
    return new Promise((resolve, reject) => {
      listener.once("error", reject);
      listener.listen({ port: this.port, host: HOST }, () => {
        const address = listener.address();
        if (typeof address === "object" && address !== null) this.port = address.port;
        resolve();
      });
    });
  }

  /** Refuses connections from now on, and ends those there are. */
  close(): void {
    this.listener?.close();
    this.listener = undefined;
    this.cut(() => true);
  }

  /** @param isMeant asked with the port that the server sees a connection come from */
  cut(isMeant: (remotePort: number) => boolean): void {
    for (const link of this.links) if (isMeant(link.remotePort)) link.cut();
  }

  /** Carries nothing any more, for connections to come too; what was under way arrives after `mend`. */
  silence(): void {
    this.isSilent = true;
    this.silenceOne(() => true);
  }

  silenceOne(isMeant: (remotePort: number) => boolean): void {
    for (const link of this.links) if (isMeant(link.remotePort)) link.silence();
  }

  mend(): void {
    this.isSilent = false;
    for (const link of this.links) link.carryOn();
  }

  /** Whether the connection that the server sees come from this port is being carried. */
  carries(remotePort: number): boolean {
    for (const link of this.links) if (link.remotePort === remotePort) return !link.isSilent;
    return false;
  }

  private onClient(client: Socket): void {
    const link = new ClientLink(client, this.serverPort, () => this.links.delete(link));
    this.links.add(link);
    if (!this.isSilent) link.carryOn();
  }
}

const HOST = "127.0.0.1";

/** One client's connection and its continuation to the server, which is dialed when something may be carried. */
class ClientLink {
  isSilent = true;
  remotePort = 0;
  private readonly client: Socket;
  private readonly serverPort: () => number;
  private readonly onGone: () => void;
  private server: Socket | undefined;
  private hasEnded = false;

  constructor(client: Socket, serverPort: () => number, onGone: () => void) {
    this.client = client;
    this.serverPort = serverPort;
    this.onGone = onGone;
    client.on("error", ignore); // "close" follows
    client.on("close", () => this.onClosed());
  }

  silence(): void {
    this.isSilent = true;
    this.client.pause();
    this.server?.pause();
  }

  carryOn(): void {
    this.isSilent = false;
    if (this.hasEnded) {
      this.onClosed();
      return;
    }
    if (this.server === undefined) this.dial();
    this.client.resume();
    this.server?.resume();
  }

  cut(): void {
    this.isSilent = false;
    this.client.destroy();
    this.server?.destroy();
    this.onGone();
  }

  private dial(): void {
    const server = connect({ port: this.serverPort(), host: HOST, noDelay: true });
    this.server = server;
    server.on("connect", () => {
      this.remotePort = server.localPort ?? 0;
    });
    server.on("error", ignore);
    server.on("close", () => this.onClosed());
    this.carry(this.client, server);
    this.carry(server, this.client);
  }

  private carry(from: Socket, to: Socket): void {
    from.on("data", (bytes) => {
      if (to.write(bytes)) return;
      from.pause();
      to.once("drain", () => {
        if (!this.isSilent) from.resume();
      });
    });
  }

  /** One end is gone: the other is told, once something may be carried again. What is on its way still arrives. */
  private onClosed(): void {
    this.hasEnded = true;
    if (this.isSilent) return;
    this.client.destroySoon();
    this.server?.destroySoon();
    this.onGone();
  }
}

function ignore(): void {}
