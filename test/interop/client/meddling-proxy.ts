import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** What to do with a client's frame: let it pass, or answer in the server's place. */
export type Meddle = (frame: Buffer) => "pass" | { readonly answer: Buffer; readonly thenClose: boolean };

/** A wire to a server that looks at what the client says, and can be cut. */
export class MeddlingProxy {
  port = 0;
  meddle: Meddle = () => "pass";
  private isOpen = true;
  private readonly pairs = new Set<readonly [Socket, Socket]>();

  static async to(targetPort: number): Promise<MeddlingProxy> {
    const proxy = new MeddlingProxy();
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

  /** Breaks all connections; new ones are welcome. */
  cut(): void {
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  /** Breaks all connections, and turns every new one away until `letIn`. */
  turnAway(): void {
    this.isOpen = false;
    this.cut();
  }

  letIn(): void {
    this.isOpen = true;
  }

  private join(near: Socket, targetPort: number): void {
    if (!this.isOpen) {
      near.destroy();
      return;
    }
    const far = connect({ host: "127.0.0.1", port: targetPort, noDelay: true });
    const pair = [near, far] as const;
    this.pairs.add(pair);
    let rest = Buffer.alloc(0);
    near.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const end = 4 + rest.readInt32BE(0);
        const frame = rest.subarray(0, end);
        rest = rest.subarray(end);
        const verdict = this.meddle(frame);
        if (verdict === "pass") {
          far.write(frame);
        } else {
          near.write(verdict.answer);
          if (verdict.thenClose) near.end();
        }
      }
    });
    far.on("data", (chunk) => near.write(chunk));
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on("error", () => undefined);
      one.on("close", () => {
        this.pairs.delete(pair);
        other.destroy();
      });
    }
  }
}
