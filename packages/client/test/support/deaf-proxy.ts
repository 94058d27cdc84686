import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

const EVENT_XID = -1;

/** A wire to a server on which watch events, or replies, can be made to vanish. */
export class DeafProxy {
  port = 0;
  swallowsEvents = false;
  swallowsReplies = false;
  swallowed = 0;
  private readonly sockets = new Set<Socket>();

  static async to(targetPort: number): Promise<DeafProxy> {
    const proxy = new DeafProxy();
    const server = createServer({ noDelay: true }, (near) => proxy.join(near, targetPort));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    proxy.port = typeof address === "object" && address !== null ? address.port : 0;
    onTestFinished(() => {
      proxy.cut();
      server.close();
    });
    return proxy;
  }

  /** Breaks the connections; new ones are served as before. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private join(near: Socket, targetPort: number): void {
    const far = connect({ host: "127.0.0.1", port: targetPort, noDelay: true });
    let rest = Buffer.alloc(0);
    near.on("data", (chunk) => far.write(chunk));
    far.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 8 && rest.length >= 4 + rest.readInt32BE(0)) {
        const frame = rest.subarray(0, 4 + rest.readInt32BE(0));
        rest = rest.subarray(frame.length);
        const isEvent = frame.readInt32BE(4) === EVENT_XID;
        if (isEvent ? this.swallowsEvents : this.swallowsReplies) this.swallowed++;
        else near.write(frame);
      }
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => other.destroy());
    }
  }
}
