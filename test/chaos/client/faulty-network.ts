/**
 * The network between one client and its servers: a port for each server, with a wire behind it that carries
 * whole frames and can be given every trouble a wire has. It watches what it carries, see `SessionEvidence`.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { FrameLane } from "./frame-lane.js";
import { type Refusal, SessionEvidence } from "./session-evidence.js";

export type Direction = "to the server" | "to the client";

/** What strikes the connections that there are. */
export type Strike =
  | { readonly kind: "cut" }
  | { readonly kind: "cut in a frame"; readonly direction: Direction }
  | { readonly kind: "half-close"; readonly direction: Direction }
  | { readonly kind: "forget the client" }
  | { readonly kind: "swallow"; readonly direction: Direction | "both" }
  | { readonly kind: "delay"; readonly delayMs: number }
  | { readonly kind: "double frames"; readonly direction: Direction; readonly count: number }
  | { readonly kind: "double the connection" };

/** What new connections find. */
export type Admission = "carried" | "refused" | "black hole";

const HOST = "127.0.0.1";

export class FaultyNetwork {
  readonly evidence = new SessionEvidence();
  /** Told when a server says that a session is no more. */
  onRefused: (refusal: Refusal) => void = () => {};
  private admission: Admission = "carried";
  private readonly listeners: Server[] = [];
  private readonly wires = new Set<Wire>();
  private isClosed = false;

  static async to(serverPorts: readonly number[]): Promise<FaultyNetwork> {
    const network = new FaultyNetwork();
    for (const port of serverPorts) {
      const listener = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => network.join(socket, port));
      network.listeners.push(listener);
      await new Promise<void>((resolve) => listener.listen({ host: HOST, port: 0 }, resolve));
    }
    return network;
  }

  /** Where the client finds its servers. */
  get servers(): string {
    return this.listeners
      .map((listener) => {
        const address = listener.address();
        return `${HOST}:${typeof address === "object" && address !== null ? address.port : 0}`;
      })
      .join(",");
  }

  strike(strike: Strike): void {
    this.evidence.soundSinceMs = performance.now();
    for (const wire of this.wires) wire.suffer(strike);
  }

  admit(admission: Admission): void {
    if (admission === this.admission) return;
    this.admission = admission;
    this.evidence.soundSinceMs = admission === "carried" ? performance.now() : Number.POSITIVE_INFINITY;
    // Whoever waits in a black hole finds out that it was one.
    if (admission === "carried") for (const wire of this.wires) if (wire.isHole) wire.cut();
  }

  /** As after a repair: nothing swallows or stalls any more, whatever did is gone. */
  heal(): void {
    this.admit("carried");
    for (const wire of this.wires) if (wire.isFaulty) wire.cut();
    this.evidence.soundSinceMs = performance.now();
  }

  close(): void {
    this.isClosed = true;
    for (const listener of this.listeners) listener.close();
    for (const wire of this.wires) wire.cut();
  }

  private join(near: Socket, port: number): void {
    if (this.isClosed || this.admission === "refused") {
      near.destroy();
      return;
    }
    const wire = new Wire(near, port, this.admission === "black hole", this.evidence, {
      refused: (refusal) => this.onRefused(refusal),
      gone: () => this.wires.delete(wire),
    });
    this.wires.add(wire);
  }
}

const XID_EVENT = -1;
const OP_CLOSE_SESSION = -11;

interface WireEvents {
  refused(refusal: Refusal): void;
  gone(): void;
}

/** One connection of the client, and its continuation to a server. */
class Wire {
  isFaulty: boolean;
  readonly isHole: boolean;
  private readonly near: Socket;
  private readonly port: number;
  private readonly evidence: SessionEvidence;
  private readonly events: WireEvents;
  private readonly toServer: FrameLane;
  private readonly toClient: FrameLane;
  private far: Socket | undefined;
  private twin: Socket | undefined;
  private handshake: Buffer | undefined;
  private sessionId: bigint | undefined;
  /** When the requests that are not answered yet were sent on. */
  private readonly sentMs: number[] = [];
  private outlivesClient = false;

  constructor(near: Socket, port: number, isHole: boolean, evidence: SessionEvidence, events: WireEvents) {
    this.near = near;
    this.port = port;
    this.isHole = isHole;
    this.isFaulty = isHole;
    this.evidence = evidence;
    this.events = events;
    this.toServer = new FrameLane(
      (bytes) => this.far?.write(bytes),
      () => this.cut(),
    );
    this.toClient = new FrameLane(
      (bytes) => near.write(bytes),
      () => near.destroySoon(),
    );
    near.on("error", ignore);
    near.once("close", () => this.onClientGone());
    if (isHole) near.resume();
    else this.dial();
  }

  cut(): void {
    this.outlivesClient = false;
    this.near.destroy();
    this.endRest();
  }

  suffer(strike: Strike): void {
    this.isFaulty = true;
    switch (strike.kind) {
      case "cut":
        this.cut();
        break;
      case "cut in a frame":
        this.lane(strike.direction).cutsNextFrame = true;
        break;
      case "half-close":
        (strike.direction === "to the client" ? this.near : this.far)?.end();
        break;
      case "forget the client":
        // As when its machine dies: the server is not told before the network is healed.
        this.outlivesClient = true;
        this.near.destroy();
        break;
      case "swallow":
        if (strike.direction !== "to the client") this.toServer.swallows = true;
        if (strike.direction !== "to the server") this.toClient.swallows = true;
        break;
      case "delay":
        this.toServer.delayMs = strike.delayMs;
        this.toClient.delayMs = strike.delayMs;
        break;
      case "double frames":
        // Twice the same handshake would be no doubled connection, but a request that is none.
        if (this.sessionId !== undefined) this.lane(strike.direction).doubles += strike.count;
        break;
      case "double the connection":
        this.doubleConnection();
    }
  }

  private lane(direction: Direction): FrameLane {
    return direction === "to the server" ? this.toServer : this.toClient;
  }

  private dial(): void {
    const { near } = this;
    const far = connect({ host: HOST, port: this.port, noDelay: true, allowHalfOpen: true });
    this.far = far;
    far.on("error", ignore);
    far.on("data", (bytes) => this.toClient.receive(bytes, (frame) => this.onAnswer(frame)));
    far.once("end", () => near.end());
    far.once("close", () => near.destroySoon());
    near.on("data", (bytes) => this.toServer.receive(bytes, (frame) => this.onRequest(frame)));
    near.once("end", () => far.end());
  }

  /** The same handshake once more, by somebody else: a server lets the newer connection have the session. */
  private doubleConnection(): void {
    if (this.handshake === undefined || this.sessionId === undefined) return;
    const handshake = Buffer.from(this.handshake);
    handshake.writeBigInt64BE(this.sessionId, SESSION_ID_AT);
    const twin = connect({ host: HOST, port: this.port, noDelay: true });
    this.twin = twin;
    twin.on("error", ignore);
    twin.on("data", () => twin.destroy());
    twin.write(handshake);
  }

  private onRequest(frame: Buffer): void {
    if (this.toServer.swallows) return;
    if (this.handshake === undefined) {
      this.handshake = frame;
    } else if (frame.readInt32BE(8) === OP_CLOSE_SESSION && this.sessionId !== undefined) {
      this.evidence.onClosing(this.sessionId);
    }
    // What comes twice is answered twice.
    for (let i = this.toServer.doubles > 0 ? 0 : 1; i < 2; i++) this.sentMs.push(performance.now());
  }

  private onAnswer(frame: Buffer): void {
    if (this.sessionId === undefined) {
      this.onConnectResponse(frame);
      return;
    }
    if (frame.readInt32BE(4) === XID_EVENT) return;
    const sentMs = this.sentMs.shift();
    if (sentMs !== undefined) this.evidence.onAnswered(this.sessionId, sentMs);
  }

  private onConnectResponse(frame: Buffer): void {
    const sentMs = this.sentMs.shift() ?? performance.now();
    const timeoutMs = frame.readInt32BE(8);
    this.sessionId = frame.readBigInt64BE(12);
    if (timeoutMs > 0) {
      this.evidence.onAccepted(this.sessionId, timeoutMs, sentMs);
      return;
    }
    const refusal = this.evidence.onRefused(this.handshake!.readBigInt64BE(SESSION_ID_AT));
    if (refusal !== undefined) this.events.refused(refusal);
  }

  private onClientGone(): void {
    if (!this.outlivesClient) this.endRest();
  }

  private endRest(): void {
    this.toServer.close();
    this.toClient.close();
    this.far?.destroy();
    this.twin?.destroy();
    this.events.gone();
  }
}

/** In a framed ConnectRequest: length, protocol version, last zxid, timeout. */
const SESSION_ID_AT = 4 + 4 + 8 + 4;

function ignore(): void {}
