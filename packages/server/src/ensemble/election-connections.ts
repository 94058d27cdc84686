import { ByteWriter, type ElectionGreeting, writeElectionGreeting } from "@watchkeeper/wire";
import { type Logger, NetworkError, type PeerNetwork, type PeerSocket, type Scheduler } from "../ports/index.js";
import type { EnsembleConfig } from "../zab/index.js";
import { AcceptedGreeting } from "./accepted-greeting.js";
import { dialAny, discard } from "./dial-any.js";
import { ElectionAddresses, formatPlace, type Place, saidPlaces } from "./election-addresses.js";
import { ElectionLink } from "./election-link.js";
import { ElectionListener } from "./election-listener.js";
import { ElectionPeer } from "./election-peer.js";
import { RareWarnings } from "./rare-warnings.js";

/**
 * The connections that elections are held over (Apache's `QuorumCnxManager`): one with each other server,
 * made when there is something to say and kept afterwards.
 *
 * Of two servers it is the one with the higher id that makes the connection. The other one knocks: it
 * connects, says who it is, and goes away; so there are never two that each side closes in favour of the other.
 * Whoever is knocked at gives up the connection it thinks it has: the other side would not knock if it had one.
 *
 * Connections are made independently of each other, each within its own time: a server that is dead delays
 * no other. Nothing is tried again by itself; the election says everything again until it is over.
 */
export interface ElectionConnectionsParts {
  readonly myid: number;
  /** The committed configuration. */
  readonly config: EnsembleConfig;
  readonly network: PeerNetwork;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** For each attempt (`cnxTimeout`). */
  readonly connectTimeoutMs: number;
  /** Within which an accepted connection must have said whose it is. */
  readonly handshakeTimeoutMs: number;
  /** Tries of the election port, a second apart; 0 for ever. */
  readonly bindRetries: number;
  readonly listensOnAllAddresses: boolean;
  /** Tell all addresses of this server: servers before 3.6 do not understand that. */
  readonly multiAddress: boolean;
}

/** How long the other side is given to answer a knock before it is knocked at again. */
const KNOCK_WAIT_MS = 500;
const KNOCKS_BEFORE_WARNING = 5;
/** Connections that have not said whose they are, and servers that are in no configuration: no more of either. */
const STRANGERS_MAX = 256;

export class ElectionConnections {
  /** A message from another server lies in `[start, end)` of `bytes`, for the time of the call. */
  onMessage: (sid: number, bytes: Uint8Array, start: number, end: number) => void = () => {};
  private readonly parts: ElectionConnectionsParts;
  private readonly warnings: RareWarnings;
  private readonly listener: ElectionListener;
  private readonly peers = new Map<number, ElectionPeer>();
  private readonly greetings = new Set<AcceptedGreeting>();
  private readonly addresses: ElectionAddresses;
  private nextAnonymousSid = -1;
  private stopped = false;

  constructor(parts: ElectionConnectionsParts) {
    this.parts = parts;
    const { myid, multiAddress, config, logger, scheduler, network, bindRetries } = parts;
    this.addresses = new ElectionAddresses(myid, multiAddress, config);
    this.warnings = new RareWarnings(logger, scheduler);
    this.listener = new ElectionListener({
      network,
      scheduler,
      logger,
      tries: bindRetries,
      onSocket: (socket) => this.onSocket(socket),
    });
  }

  /** @throws NetworkError where the election port cannot be had */
  async start(): Promise<void> {
    const { own } = this.addresses;
    const ports = new Set(own.map(({ port }) => port));
    const everywhere = [...ports].map((port) => ({ host: "0.0.0.0", port }));
    await this.listener.listen(this.parts.listensOnAllAddresses ? everywhere : own);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.warnings.stop();
    for (const greeting of this.greetings) greeting.close();
    for (const peer of this.peers.values()) peer.stop();
    this.peers.clear();
    await this.listener.close();
  }

  /** Where servers are: also those of a configuration that is only proposed. */
  setConfigs(committed: EnsembleConfig, lastSeen: EnsembleConfig): void {
    this.addresses.setConfigs(committed, lastSeen);
  }

  /** A whole frame, which must not change afterwards; it takes the place of one for the same server that has not left. */
  send(sid: number, frame: Uint8Array): void {
    if (this.stopped) return;
    if (!this.peers.has(sid) && this.addresses.of(sid).length === 0) return; // a stranger that has gone
    const peer = this.peer(sid);
    peer.put(frame);
    this.connect(peer);
  }

  /** Whether to at least one server nothing is waiting to be sent. */
  haveDelivered(): boolean {
    return [...this.peers.values()].some((peer) => !peer.hasUnsent);
  }

  /** Connects to everybody something was sent to before. */
  connectAll(): void {
    for (const peer of this.peers.values()) this.connect(peer);
  }

  private peer(sid: number): ElectionPeer {
    let peer = this.peers.get(sid);
    if (peer === undefined) {
      peer = new ElectionPeer(sid);
      this.peers.set(sid, peer);
    }
    return peer;
  }

  // Connecting.

  private connect(peer: ElectionPeer, candidates = this.addresses.of(peer.sid)): void {
    if (this.stopped || peer.link !== undefined || peer.isConnecting) return;
    if (candidates.length === 0) {
      this.peers.delete(peer.sid); // a stranger that did not say where it is
      return;
    }
    peer.isConnecting = true;
    void this.attempt(peer, candidates);
  }

  private async attempt(peer: ElectionPeer, candidates: readonly Place[]): Promise<void> {
    const { network, connectTimeoutMs } = this.parts;
    let failure: NetworkError | undefined;
    for (const endpoints of candidates) {
      try {
        const socket = await dialAny(network, endpoints, connectTimeoutMs);
        this.connected(peer, socket);
        return;
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        failure ??= error;
      }
    }
    this.unreachable(peer, failure!);
  }

  private connected(peer: ElectionPeer, socket: PeerSocket): void {
    if (this.stopped) {
      discard(socket);
      return;
    }
    socket.send(this.greeting());
    if (peer.sid > this.parts.myid) {
      discard(socket);
      this.knocked(peer, socket.remote);
    } else if (peer.link !== undefined) {
      discard(socket); // it has connected itself meanwhile, against the rule
    } else {
      const link = this.linkOf(peer, socket);
      socket.start(link);
      peer.attach(link);
    }
  }

  private knocked(peer: ElectionPeer, remote: string): void {
    if (peer.link !== undefined) return; // it was quicker
    peer.unansweredKnocks++;
    if (peer.unansweredKnocks === KNOCKS_BEFORE_WARNING) {
      this.parts.logger.warn(
        { sid: peer.sid, remote },
        `Server ${peer.sid} can be reached and does not connect back: see that it runs as server ${peer.sid}, and that it ` +
          `reaches this one at ${formatPlace(this.addresses.own)}`,
      );
    }
    peer.awaitAnswer(this.parts.scheduler, KNOCK_WAIT_MS);
  }

  private unreachable(peer: ElectionPeer, failure: NetworkError): void {
    peer.isConnecting = false;
    if (this.stopped) return;
    const { logger } = this.parts;
    if (this.addresses.isStranger(peer.sid)) {
      if (peer.link === undefined) this.peers.delete(peer.sid);
      logger.debug({ sid: peer.sid, error: failure.message }, "Cannot connect back to a server outside the ensemble");
      return;
    }
    const sentence = `Cannot connect to the election port of server ${peer.sid}: trying again while there is an election`;
    if (peer.isKnownUnreachable) logger.debug({ sid: peer.sid, error: failure.message }, sentence);
    else logger.warn({ sid: peer.sid, error: failure.message }, sentence);
    peer.isKnownUnreachable = true;
  }

  private linkOf(peer: ElectionPeer, socket: PeerSocket): ElectionLink {
    const link: ElectionLink = new ElectionLink(socket, {
      onMessage: (bytes, start, end) => this.onMessage(peer.sid, bytes, start, end),
      onDrained: () => peer.flush(),
      onClosed: (reason) => {
        this.parts.logger.debug({ sid: peer.sid, reason }, "An election connection has ended");
        if (peer.link === link) this.lost(peer);
      },
      onForeignBytes: (sentence) => this.refused(socket, sentence),
    });
    return link;
  }

  private lost(peer: ElectionPeer): void {
    peer.link = undefined;
    if (this.addresses.isStranger(peer.sid)) this.peers.delete(peer.sid);
  }

  // Accepting.

  private onSocket(socket: PeerSocket): void {
    if (this.stopped || this.greetings.size >= STRANGERS_MAX) {
      discard(socket);
      if (!this.stopped) this.refused(socket, `${STRANGERS_MAX} connections have not said whose they are`);
      return;
    }
    const { handshakeTimeoutMs, scheduler } = this.parts;
    const greeting: AcceptedGreeting = new AcceptedGreeting(socket, handshakeTimeoutMs, scheduler, {
      onGreeting: (said) => this.greeted(socket, said),
      onRefused: (sentence) => this.refused(socket, sentence),
      onEnd: () => this.greetings.delete(greeting),
    });
    this.greetings.add(greeting);
  }

  private greeted(socket: PeerSocket, { sid, addresses }: ElectionGreeting): ElectionLink | undefined {
    const { myid } = this.parts;
    if (sid === myid) {
      socket.close();
      this.warnings.warn(
        "own sid",
        { sid, remote: socket.remote },
        `Another server says that it is server ${sid}, as this one is: see to the myid files`,
      );
      return undefined;
    }
    const known = sid ?? this.nextAnonymousSid--;
    if (this.addresses.isStranger(known) && !this.peers.has(known) && this.strangerCount() >= STRANGERS_MAX) {
      this.refused(socket, `${STRANGERS_MAX} servers outside the ensemble are connected`);
      socket.close();
      return undefined;
    }
    const peer = this.peer(known);
    if (known > myid) {
      const link = this.linkOf(peer, socket);
      peer.attach(link);
      return link;
    }
    socket.close();
    peer.detach();
    this.connect(peer, [...saidPlaces(addresses), ...this.addresses.of(known)]);
    return undefined;
  }

  private refused({ remote }: PeerSocket, sentence: string): void {
    this.warnings.warn(
      "refused",
      { remote, reason: sentence },
      "Closed a connection to the election port: see what connects to it from there; if it is a server of this ensemble, " +
        "whether its TLS and SASL settings are those of this one",
    );
  }

  private strangerCount(): number {
    return [...this.peers.keys()].filter((sid) => this.addresses.isStranger(sid)).length;
  }

  private greeting(): Uint8Array {
    const writer = new ByteWriter(64);
    writeElectionGreeting(writer, this.parts.myid, this.addresses.own);
    return writer.view();
  }
}
