/**
 * The network between the servers of an ensemble, as proxies: one for each direction in which a server may
 * connect to another. Every server is configured with its own true ports and, for the others, the ports of
 * its proxies to them. An election connection tells its sender's address, to which a server with a larger
 * id connects back: that address is replaced by the proxy's, or the two would go past it from then on.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { MemberPorts } from "../../interop/ensemble/support/member.js";
import { Flow } from "./flow.js";

const HOST = "127.0.0.1";
const DIAL_AGAIN_MS = 15;
/** A connection that the target does not take in this time ends, as one to a dead machine does. */
const DIAL_MS_MAX = 3_000;

type Port = "quorum" | "election";

interface Link {
  readonly flow: Flow;
  readonly ports: Record<Port, number>;
}

export class Links {
  private readonly links = new Map<string, Link>();
  private readonly listeners: Server[] = [];
  private readonly sockets = new Set<Socket>();
  /** The true ports by sid, known when the servers are. */
  private targets: ReadonlyMap<number, MemberPorts> = new Map();

  static async between(servers: number): Promise<Links> {
    const links = new Links();
    const sids = Array.from({ length: servers }, (_, i) => i + 1);
    for (const viewer of sids) for (const target of sids) if (viewer !== target) await links.open(viewer, target);
    return links;
  }

  /** The ports at which the viewer reaches the target. The client port is nobody's business here. */
  route(viewer: number, target: number): MemberPorts {
    return { client: 0, ...this.link(viewer, target).ports };
  }

  connectTo(targets: ReadonlyMap<number, MemberPorts>): void {
    this.targets = targets;
  }

  /** What travels from one to the other, whoever opened the connection. */
  flow(from: number, to: number): Flow {
    return this.link(from, to).flow;
  }

  heal(): void {
    for (const { flow } of this.links.values()) flow.heal();
  }

  close(): void {
    for (const listener of this.listeners) listener.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private link(from: number, to: number): Link {
    const link = this.links.get(`${from}-${to}`);
    if (link === undefined) throw new Error(`there is no link from ${from} to ${to}`);
    return link;
  }

  private async open(viewer: number, target: number): Promise<void> {
    const link: Link = { flow: new Flow(), ports: { quorum: 0, election: 0 } };
    this.links.set(`${viewer}-${target}`, link);
    for (const port of ["quorum", "election"] as const) {
      const listener = createServer((socket) => this.accept(socket, viewer, target, port));
      this.listeners.push(listener);
      await new Promise<void>((resolve) => listener.listen({ host: HOST, port: 0 }, resolve));
      const address = listener.address();
      if (typeof address === "object" && address !== null) link.ports[port] = address.port;
    }
  }

  private accept(incoming: Socket, viewer: number, target: number, port: Port): void {
    this.track(incoming);
    incoming.pause();
    const there = this.flow(viewer, target);
    const back = this.flow(target, viewer);
    const deadline = performance.now() + DIAL_MS_MAX;
    const dial = (): void => {
      if (incoming.destroyed) return;
      if (performance.now() > deadline) incoming.destroy();
      else if (there.isHeld || back.isHeld) setTimeout(dial, DIAL_AGAIN_MS);
      else this.dial(this.targets.get(target)![port], established, () => setTimeout(dial, DIAL_AGAIN_MS));
    };
    const established = (outgoing: Socket): void => {
      there.carry(
        incoming,
        outgoing,
        port === "election" ? (bytes) => this.readdressed(bytes, viewer, target) : undefined,
      );
      back.carry(outgoing, incoming);
      incoming.resume();
    };
    dial();
  }

  private dial(port: number, established: (socket: Socket) => void, failed: () => void): void {
    const socket = connect({ host: HOST, port, noDelay: true });
    this.track(socket);
    socket.once("error", failed);
    socket.once("connect", () => {
      socket.off("error", failed);
      established(socket);
    });
  }

  /** The first message of an election connection with the address at which its receiver reaches the sender. */
  private readdressed(bytes: Buffer, viewer: number, target: number): Buffer | undefined {
    if (bytes.length < ADDRESS_AT) return undefined;
    const isWithAddress = bytes.readBigInt64BE(0) === PROTOCOL_V1 || bytes.readBigInt64BE(0) === PROTOCOL_V2;
    if (!isWithAddress) return bytes;
    const end = ADDRESS_AT + bytes.readInt32BE(ADDRESS_AT - 4);
    if (bytes.length < end) return undefined;
    const address = Buffer.from(`${HOST}:${this.route(target, viewer).election}`);
    const head = Buffer.from(bytes.subarray(0, ADDRESS_AT));
    head.writeInt32BE(address.length, ADDRESS_AT - 4);
    return Buffer.concat([head, address, bytes.subarray(end)]);
  }

  private track(socket: Socket): void {
    socket.setNoDelay(true);
    this.sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.sockets.delete(socket));
  }
}

/** Protocol version, sid, length of the address. */
const ADDRESS_AT = 8 + 8 + 4;
const PROTOCOL_V1 = -65_536n;
const PROTOCOL_V2 = -65_535n;
