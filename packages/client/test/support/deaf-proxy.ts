import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

const EVENT_XID = -1;

/** A wire to a server on which watch events can be made to vanish. */
export class DeafProxy {
  port = 0;
  swallowsEvents = false;
  swallowed = 0;
  private readonly sockets = new Set<Socket>();

  static async to(targetPort: number): Promise<DeafProxy> {
    const proxy = new DeafProxy();
    const server = createServer({ noDelay: true }, (near) => proxy.join(near, targetPort));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    proxy.port = typeof address === "object" && address !== null ? address.port : 0;
    onTestFinished(() => {
      for (const socket of proxy.sockets) socket.destroy();
      server.close();
    });
    return proxy;
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
        if (this.swallowsEvents && frame.readInt32BE(4) === EVENT_XID) this.swallowed++;
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
