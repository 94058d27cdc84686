import { connect, createServer, type Server, type Socket } from "node:net";
import type { Target } from "../load/server-connection.js";

/** A wire between clients and a server that can be cut, and stays cut until it is mended. */
export class CuttableWire {
  port = 0;
  private isCut = false;
  private readonly ends = new Set<Socket>();
  private readonly server: Server;

  private constructor(target: Target) {
    this.server = createServer({ noDelay: true }, (near) => {
      if (this.isCut) near.destroy();
      else this.join(near, connect({ ...target, noDelay: true }));
    });
  }

  static async to(target: Target): Promise<CuttableWire> {
    const wire = new CuttableWire(target);
    await new Promise<void>((resolve) => wire.server.listen(0, target.host, resolve));
    const address = wire.server.address();
    wire.port = typeof address === "object" && address !== null ? address.port : 0;
    return wire;
  }

  cut(): void {
    this.isCut = true;
    for (const end of this.ends) end.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private join(near: Socket, far: Socket): void {
    near.pipe(far);
    far.pipe(near);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.ends.add(end);
      end.on("error", () => other.destroy());
      end.on("close", () => {
        this.ends.delete(end);
        other.destroy();
      });
    }
  }
}
