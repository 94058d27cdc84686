import {
  ByteReader,
  ByteWriter,
  connectResponse,
  type ErrorName,
  FRAME_BYTES_MAX_DEFAULT,
  FrameSplitter,
  OP,
  WireError,
  XID,
} from "@watchkeeper/wire";
import { backOffMs } from "./back-off.js";
import type { Call } from "./call.js";
import { Chroot } from "./chroot.js";
import { type Delivery, sessionEvent } from "./delivery.js";
import { Exchange, type FrameVerdict } from "./exchange.js";
import { appendConnectRequest, appendFrame } from "./frames.js";
import { KeepAlive } from "./keep-alive.js";
import type { Random } from "./random.js";
import { formatAddress, type ServerAddress, ServerList } from "./server-list.js";
import { type FinalState, isFinal, type SessionState } from "./session-state.js";
import type { WatchListener } from "./watch-event.js";
import { WATCH_KINDS, type WatchKind } from "./watch-table.js";

export interface SessionIdentity {
  readonly id: bigint;
  readonly password: Uint8Array;
}

export interface SessionOptions {
  readonly servers: readonly ServerAddress[];
  readonly chroot: string;
  /** What is asked for; the server clamps it. */
  readonly sessionTimeoutMs: number;
  readonly random: Random;
  /** A session of an earlier client to go on with. */
  readonly session?: SessionIdentity | undefined;
  readonly requestBytesMax?: number | undefined;
  readonly replyBytesMax?: number | undefined;
  readonly reconnectDelayMsMax?: number | undefined;
  /** Before the first connection: how often all servers are tried before the machine gives up. */
  readonly connectRoundsMax?: number | undefined;
}

/**
 * What the host must do, in the order of the fields: hang up the present socket, dial a new one, write
 * to the present one, hand the deliveries to the listener half.
 */
export interface SessionOutput {
  readonly hangUp: boolean;
  readonly dial: ServerAddress | undefined;
  readonly bytes: Uint8Array | undefined;
  readonly deliveries: readonly Delivery[];
}

type Link =
  | { readonly kind: "idle"; readonly dialAtMs: number }
  | { readonly kind: "dialing" | "handshaking"; readonly server: ServerAddress; readonly deadlineMs: number }
  | { readonly kind: "up"; readonly server: ServerAddress; readonly keepAlive: KeepAlive; closeDeadlineMs: number }
  | { readonly kind: "over" };

/** A server never limits its replies, so the client's limit is generous: it only bounds what nonsense may cost. */
const REPLY_BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
const RECONNECT_DELAY_MS_MAX_DEFAULT = 2000;
const ATTEMPT_MS_MIN = 100;
const CLOSE_MS_MAX = 2000;
/** A reply header where a ConnectResponse belongs: a read-only server refusing a session. */
const CONNECT_RESPONSE_BYTES_MIN = 36;
const WRITER_KEEP_BYTES_MAX = 256 * 1024;

/**
 * The connection half of a client: a session with an ensemble, over one connection after the other.
 * Pure: time and input are handed in, and `takeOutput` says what to do. It registers watches, sends
 * requests, pings, and finds the next server; the application's listeners are none of its business,
 * they are in the listener half behind `deliveries`, so nothing they do can delay it (M1).
 *
 * Source of the rules: ClientCnxn and ClientCnxnSocket. Deviations: a request that waits for a
 * connection fails only after every server was tried in vain, not after the first; back-off grows; a
 * late tick is not taken for a silent server (`KeepAlive`).
 */
export class SessionMachine {
  readonly chroot: Chroot;
  state: SessionState = "connecting";
  /** Zero until the first server has accepted the session. */
  identity: SessionIdentity;
  /** Asked for at first, then what the server granted. */
  timeoutMs: number;
  /** Why the last attempt or connection failed, for whoever gives up waiting. */
  lastProblem: string | undefined;
  private readonly options: SessionOptions;
  private readonly servers: ServerList;
  private readonly exchange: Exchange;
  private readonly writer = new ByteWriter(1024);
  private splitter: FrameSplitter;
  private link: Link;
  private closing = false;
  private hangUp = false;
  private dial: ServerAddress | undefined;

  constructor(options: SessionOptions, nowMs: number) {
    this.options = options;
    this.chroot = new Chroot(options.chroot);
    this.servers = new ServerList(options.servers, options.random);
    this.exchange = new Exchange(this.chroot, options.requestBytesMax ?? FRAME_BYTES_MAX_DEFAULT);
    this.identity = options.session ?? { id: 0n, password: new Uint8Array(16) };
    this.timeoutMs = options.sessionTimeoutMs;
    this.splitter = this.newSplitter();
    this.link = { kind: "idle", dialAtMs: nowMs };
  }

  get lastZxidSeen(): bigint {
    return this.exchange.lastZxidSeen;
  }

  /** How often every server was tried in vain since the last connection. */
  get fruitlessRounds(): number {
    return this.servers.fruitlessRounds;
  }

  /** The server of the present connection. */
  get server(): ServerAddress | undefined {
    return this.link.kind === "up" ? this.link.server : undefined;
  }

  /** When `onTick` wants to be called at the latest; later input may put it off. */
  get nextDeadlineMs(): number {
    const link = this.link;
    if (link.kind === "up") {
      return Math.min(link.keepAlive.readDeadlineMs, link.keepAlive.pingDeadlineMs, link.closeDeadlineMs);
    }
    if (link.kind === "idle") return link.dialAtMs;
    return link.kind === "over" ? Number.POSITIVE_INFINITY : link.deadlineMs;
  }

  submit(call: Call): void {
    const refusal = this.refusal();
    if (refusal !== undefined) this.exchange.fail(call, { code: refusal, outcome: "not-applied" });
    else if (this.link.kind === "up") this.exchange.send(call, this.writer);
    else this.exchange.wait(call);
  }

  /** Sends a credential now and on every later connection; `call` is completed when a server has accepted it. */
  addCredential(scheme: string, auth: Uint8Array, call: Call): void {
    const refusal = this.refusal();
    if (refusal !== undefined) this.exchange.fail(call, { code: refusal, outcome: "not-applied" });
    else this.exchange.sendCredential({ scheme, auth, call }, this.link.kind === "up" ? this.writer : undefined);
  }

  /** Registers a persistent watch before its request is answered, so that a reconnect in between carries it over. */
  addWatch(kind: WatchKind, serverPath: string, listener: WatchListener): void {
    this.exchange.watches.add(kind, serverPath, listener);
  }

  dropWatch(kind: WatchKind, serverPath: string, listener: WatchListener): void {
    this.exchange.watches.drop(kind, serverPath, listener);
  }

  hasWatch(kind: WatchKind, serverPath: string): boolean {
    return this.exchange.watches.has(kind, serverPath);
  }

  hasAnyWatch(serverPath: string): boolean {
    return WATCH_KINDS.some((kind) => this.exchange.watches.has(kind, serverPath));
  }

  /** Ends the session: requests sent before are answered first. Without a connection there is nobody to tell. */
  close(nowMs: number): void {
    if (this.closing || isFinal(this.state)) return;
    this.closing = true;
    if (this.link.kind !== "up") {
      this.finish("closed", "CLOSING", "the client was closed");
      return;
    }
    this.exchange.sendClose(this.writer);
    this.link.closeDeadlineMs = nowMs + CLOSE_MS_MAX;
  }

  onOpened(nowMs: number): void {
    if (this.link.kind !== "dialing") return;
    const { server, deadlineMs } = this.link;
    this.link = { kind: "handshaking", server, deadlineMs: Math.max(deadlineMs, nowMs) };
    this.splitter = this.newSplitter();
    appendConnectRequest(this.writer, {
      lastZxidSeen: this.exchange.lastZxidSeen,
      timeOut: this.options.sessionTimeoutMs,
      sessionId: this.identity.id,
      passwd: this.identity.password,
    });
  }

  onChunk(chunk: Uint8Array, nowMs: number): void {
    if (!this.isListening()) return;
    if (this.link.kind === "up") this.link.keepAlive.onHeard(nowMs);
    this.splitter.push(chunk);
    try {
      while (this.isListening() && this.splitter.next()) {
        const { bytes, start, end } = this.splitter;
        if (this.link.kind === "up") this.obey(this.exchange.onFrame(bytes, start, end), nowMs);
        else this.onConnectResponse(bytes, start, end, nowMs);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // The frame that does not fit is the answer to the first call in flight: it is told so, or it
      // would be repeated for ever.
      if (this.link.kind === "up") this.exchange.failFirst(error.message);
      this.lose(error.message, nowMs);
    }
  }

  onClosed(reason: string, nowMs: number): void {
    if (this.link.kind !== "idle" && this.link.kind !== "over") this.lose(reason, nowMs);
  }

  onTick(nowMs: number): void {
    const link = this.link;
    if (link.kind === "idle") {
      if (nowMs >= link.dialAtMs) this.startDialing(nowMs);
    } else if (link.kind === "dialing" || link.kind === "handshaking") {
      if (nowMs >= link.deadlineMs) this.lose("it did not answer in time", nowMs);
    } else if (link.kind === "up") {
      this.onTickUp(link.keepAlive, link.closeDeadlineMs, nowMs);
    }
  }

  /** Everything to be done since the last call, or undefined; counts as sent at `nowMs`. */
  takeOutput(nowMs: number): SessionOutput | undefined {
    const deliveries = this.exchange.deliveries;
    const length = this.writer.length;
    if (length === 0 && deliveries.length === 0 && !this.hangUp && this.dial === undefined) return undefined;
    const output: SessionOutput = {
      hangUp: this.hangUp,
      dial: this.dial,
      bytes: length === 0 ? undefined : this.takeBytes(),
      deliveries: deliveries.length === 0 ? NO_DELIVERIES : deliveries.splice(0),
    };
    if (length > 0 && this.link.kind === "up") this.link.keepAlive.onSent(nowMs);
    this.hangUp = false;
    this.dial = undefined;
    return output;
  }

  /** Whether bytes from the socket still mean anything; one frame may change that for those behind it. */
  private isListening(): boolean {
    return this.link.kind === "up" || this.link.kind === "handshaking";
  }

  private takeBytes(): Uint8Array {
    const bytes = this.writer.bytes.slice(0, this.writer.length);
    if (this.writer.bytes.length > WRITER_KEEP_BYTES_MAX) this.writer.bytes = new Uint8Array(1024);
    this.writer.reset();
    return bytes;
  }

  private onTickUp(keepAlive: KeepAlive, closeDeadlineMs: number, nowMs: number): void {
    if (nowMs >= closeDeadlineMs) {
      this.lose("the server did not confirm the end of the session", nowMs);
    } else if (nowMs >= keepAlive.readDeadlineMs && keepAlive.isServerSilent(nowMs)) {
      this.lose(`nothing was heard from it for ${keepAlive.silentMs(nowMs)} ms`, nowMs);
    } else if (nowMs >= keepAlive.pingDeadlineMs) {
      appendFrame(this.writer, XID.ping, OP.ping);
      keepAlive.onSent(nowMs);
    }
  }

  private startDialing(nowMs: number): void {
    const server = this.servers.next();
    const attemptMs = Math.max(this.timeoutMs / this.servers.size, ATTEMPT_MS_MIN);
    this.link = { kind: "dialing", server, deadlineMs: nowMs + attemptMs };
    this.dial = server;
  }

  private onConnectResponse(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (this.link.kind !== "handshaking") return;
    if (end - start < CONNECT_RESPONSE_BYTES_MIN) {
      this.lose("it refused the session", nowMs);
      return;
    }
    const response = connectResponse.decode(new ByteReader(bytes, start, end));
    if (response.timeOut <= 0) {
      this.finish("lost", "SESSION_EXPIRED", "the server no longer knows the session");
      return;
    }
    this.identity = { id: response.sessionId, password: response.passwd.slice() };
    this.timeoutMs = response.timeOut;
    const keepAlive = new KeepAlive(response.timeOut, nowMs);
    this.link = { kind: "up", server: this.link.server, keepAlive, closeDeadlineMs: Number.POSITIVE_INFINITY };
    this.servers.onConnected();
    this.lastProblem = undefined;
    this.become("connected"); // before anything a reply or a catch-up event can bring
    this.exchange.resume(this.writer);
  }

  private obey(verdict: FrameVerdict | undefined, nowMs: number): void {
    if (verdict === undefined) return;
    if (verdict.kind === "session-closed") this.finish("closed", "CLOSING", "the client was closed");
    else if (verdict.kind === "auth-failed") this.finish("auth-failed", "AUTH_FAILED", verdict.details);
    else this.lose(verdict.details, nowMs);
  }

  /** The connection, or the attempt at one, has failed: all that was sent is in doubt, and the next server is due. */
  private lose(reason: string, nowMs: number): void {
    const link = this.link;
    if (link.kind === "idle" || link.kind === "over") return;
    this.lastProblem = `${formatAddress(link.server)}: ${reason}`;
    if (this.closing) {
      this.finish("closed", "CLOSING", "the client was closed");
      return;
    }
    if (link.kind !== "up") this.servers.onAttemptFailed();
    if (
      this.state === "connecting" &&
      this.fruitlessRounds >= (this.options.connectRoundsMax ?? Number.POSITIVE_INFINITY)
    ) {
      this.finish("closed", "CONNECTION_LOSS", this.lastProblem);
      return;
    }
    this.disconnect();
    if (link.kind === "up") {
      this.exchange.failInFlight(this.lastProblem);
      this.become("suspended");
    } else if (this.fruitlessRounds > 0) {
      // Not before: one dead server of three must not fail a request that the next one would have taken.
      this.exchange.failWaiting("CONNECTION_LOSS", this.lastProblem);
    }
    const delayMsMax = this.options.reconnectDelayMsMax ?? RECONNECT_DELAY_MS_MAX_DEFAULT;
    const delayMs = backOffMs(this.fruitlessRounds, delayMsMax, this.options.random);
    this.link = { kind: "idle", dialAtMs: nowMs + delayMs };
  }

  private finish(state: FinalState, code: ErrorName, details: string): void {
    this.disconnect();
    this.exchange.failAll(code, details);
    this.lastProblem = details;
    this.link = { kind: "over" };
    this.become(state);
    this.exchange.watches.clear();
  }

  private disconnect(): void {
    if (this.link.kind !== "idle" && this.link.kind !== "over") this.hangUp = true;
    this.dial = undefined;
    this.writer.reset();
  }

  /** The only place where the state changes. Every watcher is told (M13). */
  private become(state: SessionState): void {
    if (this.state === state) return;
    this.state = state;
    this.exchange.deliveries.push(sessionEvent(state, this.exchange.watches.all()));
  }

  private refusal(): ErrorName | undefined {
    if (this.state === "lost") return "SESSION_EXPIRED";
    if (this.state === "auth-failed") return "AUTH_FAILED";
    return this.closing || this.state === "closed" ? "CLOSING" : undefined;
  }

  private newSplitter(): FrameSplitter {
    return new FrameSplitter(this.options.replyBytesMax ?? REPLY_BYTES_MAX_DEFAULT);
  }
}

const NO_DELIVERIES: readonly Delivery[] = [];
