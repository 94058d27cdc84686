import { ByteWriter, FrameSplitter, readElectionGreeting, writeElectionGreeting } from "@watchkeeper/wire";
import type { Logger, PeerNetwork, PeerSocket, Scheduler } from "../ports/index.js";
import type { EnsembleConfig } from "../zab/index.js";

export interface ElectionConnectionsParts {
  readonly myid: number;
  readonly config: EnsembleConfig;
  readonly network: PeerNetwork;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly bindRetries: number;
  readonly listensOnAllAddresses: boolean;
  readonly multiAddress: boolean;
}

export class ElectionConnections {
  onMessage: (sid: number, bytes: Uint8Array, start: number, end: number) => void = () => {};
  private readonly parts: ElectionConnectionsParts;
  private readonly sockets = new Map<number, PeerSocket>();
  private readonly last = new Map<number, Uint8Array>();
  private readonly dialing = new Set<number>();
  private close: () => Promise<void> = async () => {};
  private stopped = false;

  constructor(parts: ElectionConnectionsParts) {
    this.parts = parts;
  }

  async start(): Promise<void> {
    const { network, config, myid } = this.parts;
    const { host, electionPort } = config.members.get(myid)!.addresses[0];
    const listener = await network.listen({ host, port: electionPort }, (socket) => this.accept(socket));
    this.close = () => listener.close();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const socket of this.sockets.values()) socket.close();
    await this.close();
  }

  send(sid: number, frame: Uint8Array): void {
    this.last.set(sid, frame);
    const socket = this.sockets.get(sid);
    if (socket === undefined) void this.dial(sid);
    else socket.send(frame);
  }

  haveDelivered(): boolean {
    return true;
  }

  connectAll(): void {
    for (const sid of this.last.keys()) void this.dial(sid);
  }

  private async dial(sid: number): Promise<void> {
    const member = this.parts.config.members.get(sid);
    if (member === undefined || this.sockets.has(sid) || this.dialing.has(sid) || this.stopped) return;
    this.dialing.add(sid);
    try {
      const { host, electionPort } = member.addresses[0];
      const socket = await this.parts.network.dial({ host, port: electionPort }, this.parts.connectTimeoutMs);
      const own = this.parts.config.members.get(this.parts.myid)!.addresses[0];
      const writer = new ByteWriter(64);
      writeElectionGreeting(writer, this.parts.myid, [{ host: own.host, port: own.electionPort }]);
      socket.send(writer.view());
      if (sid > this.parts.myid) {
        socket.start({ onBytes() {}, onDrained() {}, onClosed() {} });
        socket.close();
      } else this.keep(sid, socket, new FrameSplitter(524288));
    } catch {
    } finally {
      this.dialing.delete(sid);
    }
  }

  private accept(socket: PeerSocket): void {
    let got = new Uint8Array(0);
    let splitter: FrameSplitter | undefined;
    let sid: number | undefined;
    socket.start({
      onBytes: (bytes) => {
        if (splitter === undefined) {
          const all = new Uint8Array(got.length + bytes.length);
          all.set(got);
          all.set(bytes, got.length);
          got = all;
          const greeting = readElectionGreeting(got, 0, got.length);
          if (greeting === undefined) return;
          if ("refused" in greeting || greeting.sid === undefined) return socket.close();
          sid = greeting.sid;
          if (sid <= this.parts.myid) {
            socket.close();
            this.sockets.get(sid)?.close();
            this.sockets.delete(sid);
            if (sid !== this.parts.myid) void this.dial(sid);
            return;
          }
          splitter = new FrameSplitter(524288);
          this.sockets.get(sid)?.close();
          this.sockets.set(sid, socket);
          const last = this.last.get(sid);
          if (last !== undefined) socket.send(last);
          bytes = got.slice(greeting.end);
        }
        this.onFrames(sid!, splitter, bytes.slice());
      },
      onDrained() {},
      onClosed: () => {
        if (sid !== undefined && this.sockets.get(sid) === socket) this.sockets.delete(sid);
      },
    });
  }

  private keep(sid: number, socket: PeerSocket, splitter: FrameSplitter): void {
    this.sockets.set(sid, socket);
    socket.start({
      onBytes: (bytes) => this.onFrames(sid, splitter, bytes.slice()),
      onDrained() {},
      onClosed: () => {
        if (this.sockets.get(sid) === socket) this.sockets.delete(sid);
      },
    });
    const last = this.last.get(sid);
    if (last !== undefined) socket.send(last);
  }

  private onFrames(sid: number, splitter: FrameSplitter, bytes: Uint8Array): void {
    splitter.push(bytes);
    while (splitter.next()) this.onMessage(sid, splitter.bytes, splitter.start, splitter.end);
  }
}
