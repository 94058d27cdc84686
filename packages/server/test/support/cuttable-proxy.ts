import { connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A wire between a client and the server that a test can cut, or clog. */
export class CuttableProxy {
  port = 0;
  private readonly server: Server;
  private readonly pairs = new Set<[Socket, Socket]>();
  private readonly targetPort: () => number;
  private isCut = false;

  constructor(targetPort: () => number) {
    this.targetPort = targetPort;
    this.server = createServer({ noDelay: true }, (near) => this.onConnection(near));
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.server.listen(0, "127.0.0.1", () => {
        const address = this.server.address();
        this.port = typeof address === "object" && address !== null ? address.port : 0;
        resolve();
      });
    });
  }

  /** All connections break, and new ones with them. */
  cut(): void {
    this.isCut = true;
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  /** Nothing comes through any more, in either direction; nobody is told. */
  clog(): void {
    for (const [near, far] of this.pairs) {
      near.unpipe();
      far.unpipe();
      near.pause();
      far.pause();
    }
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private onConnection(near: Socket): void {
    near.on("error", () => {});
    if (this.isCut) {
      near.destroy();
      return;
    }
    const far = connect({ host: "127.0.0.1", port: this.targetPort(), noDelay: true });
    far.on("error", () => {});
    const pair: [Socket, Socket] = [near, far];
    this.pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const [one, other] of [pair, [far, near]] as const) {
      one.on("close", () => {
        this.pairs.delete(pair);
        other.destroy();
      });
    }
  }
}

export async function proxyTo(target: { readonly port: number }): Promise<CuttableProxy> {
  const proxy = new CuttableProxy(() => target.port);
  await proxy.listen();
  onTestFinished(() => proxy.close());
  return proxy;
}
