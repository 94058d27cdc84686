import {
  ByteReader,
  ByteWriter,
  connectResponse,
  FRAME_BYTES_MAX_DEFAULT,
  FrameSplitter,
  REPLY_HEADER_BYTES,
  readInt,
  WireError,
  XID,
} from "@watchkeeper/wire";
import { backOffMs } from "./back-off.js";
import { type Call, outcomeWithoutAnswer } from "./call.js";
import { Chroot } from "./chroot.js";
import { type ClientCounters, newCounters } from "./counters.js";
import { type Delivery, sessionEvent } from "./delivery.js";
import type { ErrorName } from "./error-codes.js";
import { Exchange, type FrameVerdict } from "./exchange.js";
import { appendConnectRequest } from "./frames.js";
import { FullServerSearch } from "./full-server-search.js";
import { KeepAlive } from "./keep-alive.js";
import type { Random } from "./random.js";
import { formatAddress, type ServerAddress, ServerList } from "./server-list.js";
import { SessionLease } from "./session-lease.js";
import { type FinalState, isFinal, type SessionState } from "./session-state.js";
import type { WatchTable } from "./watch-table.js";

/** By what the servers know a session: who has both, has the session. Keep the password to yourself. */
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
  /** Servers that are cut off from the others will do, until a full one is found. */
  readonly readOnly?: boolean | undefined;
  /** Opens a new session in the place of a lost one, and takes the watches along. */
  readonly renewsLost?: boolean | undefined;
  /** The host authenticates every connection by SASL, see `SaslTurn`. */
  readonly sasl?: boolean | undefined;
}

/**
 * The client's turn in a SASL exchange, to be answered by `onSaslToken` or `onSaslDone`. The first of a
 * connection brings no token and asks for a new exchange; null is a token that the server left out.
 */
export interface SaslTurn {
  readonly server: ServerAddress;
  readonly token: Uint8Array | null | undefined;
}

/**
 * What the host must do, in the order of the fields: hang up the present socket, dial a new one, write
 * to the present one, answer a SASL token, ask a server whether it is a full one ("isro", then
 * `onProbed`), hand the deliveries to the listener half.
 */
export interface SessionOutput {
  readonly hangUp: boolean;
  readonly dial: ServerAddress | undefined;
  readonly bytes: Uint8Array | undefined;
  readonly sasl: SaslTurn | undefined;
  readonly probe: ServerAddress | undefined;
  readonly deliveries: readonly Delivery[];
}

interface Established {
  readonly sentMs: number;
  readonly readOnly: boolean;
  readonly timeoutMs: number;
}

type Link =
  | { readonly kind: "idle"; readonly dialAtMs: number }
  | { readonly kind: "dialing"; readonly server: ServerAddress; readonly deadlineMs: number }
  | {
      readonly kind: "handshaking";
      readonly server: ServerAddress;
      readonly deadlineMs: number;
      readonly sentMs: number;
    }
  | {
      readonly kind: "authenticating";
      readonly server: ServerAddress;
      readonly deadlineMs: number;
      readonly established: Established;
      /** The server has sent a token that was not null: it knows SASL. */
      hasAnswered: boolean;
      /** The client has said its last word and waits for the server's. */
      isClosing: boolean;
    }
  | {
      readonly kind: "up";
      readonly server: ServerAddress;
      readonly keepAlive: KeepAlive;
      /** Where the server is a read-only one. */
      readonly search: FullServerSearch | undefined;
      closeDeadlineMs: number;
    }
  | { readonly kind: "over" };

/** A server never limits its replies, so the client's limit is generous: it only bounds what nonsense may cost. */
const REPLY_BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
const RECONNECT_DELAY_MS_MAX_DEFAULT = 2000;
const ATTEMPT_MS_MIN = 100;
const CLOSE_MS_MAX = 2000;
/** A reply header where a ConnectResponse belongs: a read-only server refusing a session. */
const CONNECT_RESPONSE_BYTES_MIN = 36;
const WRITER_BYTES_MIN = 256;
const WRITER_KEEP_BYTES_MAX = 256 * 1024;
const NO_BYTES = new Uint8Array(0);
const NO_IDENTITY: SessionIdentity = { id: 0n, password: new Uint8Array(16) };

/**
 * The connection half of a client: a session with an ensemble, over one connection after the other.
 * Pure: time and input are handed in, and `takeOutput` says what to do. It registers watches, sends
 * requests, pings, and finds the next server; the application's listeners are none of its business,
 * they are in the listener half behind `deliveries`, so nothing they do can delay it (M1).
 *
 * Source of the rules: ClientCnxn and ClientCnxnSocket. Deviations: a request that waits for a
 * connection fails only after every server was tried in vain, not after the first; back-off grows; a
 * server that is silent from the start does not use up the session; a late tick is not taken for a silent server (`KeepAlive`); a session that may have expired is reported
 * as such and never given up on the client's own word (`SessionLease`).
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
  readonly counters: ClientCounters;
  private readonly mutableCounters = newCounters();
  private readonly options: SessionOptions;
  private readonly servers: ServerList;
  private readonly exchange: Exchange;
  private readonly lease = new SessionLease();
  private readonly writer = new ByteWriter(WRITER_BYTES_MIN);
  /** The writer's memory while the host has it. */
  private lent: Uint8Array = NO_BYTES;
  private splitter: FrameSplitter | undefined;
  private link: Link;
  /** A full server knows the session; the id of a read-only one means nothing elsewhere. */
  private isKnownInFull: boolean;
  private wasConnected = false;
  private closing = false;
  private hangUp = false;
  private dial: ServerAddress | undefined;
  private sasl: SaslTurn | undefined;
  private probe: ServerAddress | undefined;

  constructor(options: SessionOptions, nowMs: number) {
    this.options = options;
    this.counters = this.mutableCounters;
    this.chroot = new Chroot(options.chroot);
    this.servers = new ServerList(options.servers, options.random);
    const requestBytesMax = options.requestBytesMax ?? FRAME_BYTES_MAX_DEFAULT;
    this.exchange = new Exchange(this.chroot, requestBytesMax, this.lease, this.mutableCounters);
    this.identity = options.session ?? NO_IDENTITY;
    this.isKnownInFull = options.session !== undefined;
    this.timeoutMs = options.sessionTimeoutMs;
    this.link = { kind: "idle", dialAtMs: nowMs };
  }

  get lastZxidSeen(): bigint {
    return this.exchange.lastZxidSeen;
  }

  /** Who watches what. A watch dropped here stays with the server until a request removes it, or the next reconnect. */
  get watches(): WatchTable {
    return this.exchange.watches;
  }

  /** Until when, by this client's clock, the session is certain to live; Infinity while there is none yet. */
  get aliveUntilMs(): number {
    return this.lease.untilMs(this.timeoutMs);
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
    const ofSession = this.state === "suspended" ? this.aliveUntilMs : Number.POSITIVE_INFINITY;
    return Math.min(this.linkDeadlineMs(), ofSession, this.exchange.nextDeadlineMs);
  }

  submit(call: Call, nowMs: number): void {
    this.exchange.accept(call, nowMs);
    const refusal = this.refusal();
    if (refusal !== undefined) this.exchange.fail(call, { code: refusal, outcome: "not-applied" });
    else if (this.link.kind === "up") this.exchange.send(call, this.writer);
    else if (call.whenSuspended !== "fail") this.exchange.wait(call);
    else this.failSuspended(call);
  }

  /** Its caller gives a call up: it fails now; if it was sent, the server carries it out all the same. */
  cancel(call: Call): void {
    this.exchange.fail(call, { code: "ABORTED", outcome: outcomeWithoutAnswer(call) });
  }

  /** Sends a credential now and on every later connection; `call` is completed when a server has accepted it. */
  addCredential(scheme: string, auth: Uint8Array, call: Call, nowMs: number): void {
    this.exchange.accept(call, nowMs);
    const refusal = this.refusal();
    if (refusal !== undefined) this.exchange.fail(call, { code: refusal, outcome: "not-applied" });
    else if (this.link.kind === "up") this.exchange.sendCredential({ scheme, auth, call }, this.writer);
    else if (call.whenSuspended !== "fail") this.exchange.sendCredential({ scheme, auth, call }, undefined);
    else this.failSuspended(call);
  }

  /** Puts another list in the place of the servers'; the client may move, so that all clients are spread evenly. */
  updateServers(servers: readonly ServerAddress[], nowMs: number): void {
    const moves = this.servers.replace(servers, this.server);
    if (moves && !this.closing) this.lose("the list of servers has changed", nowMs);
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
    this.link = { kind: "handshaking", server, deadlineMs: Math.max(deadlineMs, nowMs), sentMs: nowMs };
    this.splitter = new FrameSplitter(this.options.replyBytesMax ?? REPLY_BYTES_MAX_DEFAULT);
    const { id, password } = this.isKnownInFull ? this.identity : NO_IDENTITY;
    appendConnectRequest(this.writer, {
      lastZxidSeen: this.exchange.lastZxidSeen,
      timeOut: this.options.sessionTimeoutMs,
      sessionId: id,
      passwd: password,
      readOnly: this.options.readOnly === true,
    });
  }

  onChunk(chunk: Uint8Array, nowMs: number): void {
    const { splitter } = this;
    if (splitter === undefined) return;
    this.mutableCounters.bytesReceived += chunk.length;
    splitter.push(chunk);
    let isPiece = true; // of a long frame, which takes its time
    try {
      // One frame may change what those behind it mean: after a hang-up they mean nothing.
      while (this.splitter === splitter && splitter.next()) {
        isPiece = false;
        this.onFrame(splitter.bytes, splitter.start, splitter.end, nowMs);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // The frame that does not fit is the answer to the first call in flight: it is told so, or it
      // would be repeated for ever.
      if (this.link.kind === "up") this.exchange.failFirst(error.message);
      this.lose(error.message, nowMs);
    }
    if (isPiece && this.link.kind === "up") this.link.keepAlive.onHeard(nowMs);
  }

  onClosed(reason: string, nowMs: number): void {
    if (this.link.kind !== "idle" && this.link.kind !== "over") this.lose(reason, nowMs);
  }

  /** The client's next token of the SASL exchange, its last one if `isLast`. */
  onSaslToken(token: Uint8Array, isLast: boolean): void {
    if (this.link.kind !== "authenticating") return;
    this.link.isClosing = isLast;
    this.exchange.sendSaslToken(token, this.writer);
  }

  /** The SASL exchange is complete without a further token. */
  onSaslDone(nowMs: number): void {
    if (this.link.kind === "authenticating") this.establish(this.link.server, this.link.established, nowMs);
  }

  /** The client's mechanism cannot go on: what the server said is not what one who knows the secret would say. */
  onSaslFailed(details: string): void {
    if (this.link.kind === "authenticating") this.finish("auth-failed", "AUTH_FAILED", `SASL: ${details}`);
  }

  /** What a server that was to be probed has said of itself; anything but a clear yes is a no. */
  onProbed(server: ServerAddress, isFull: boolean, nowMs: number): void {
    if (this.link.kind !== "up" || this.link.search === undefined || this.closing) return;
    if (!isFull) {
      this.link.search.onRefused(nowMs);
      return;
    }
    this.lose("left for a full server", nowMs);
    this.servers.prefer(server);
    this.link = { kind: "idle", dialAtMs: nowMs };
  }

  onTick(nowMs: number): void {
    const link = this.link;
    if (nowMs >= this.exchange.nextDeadlineMs) {
      this.exchange.failDue(nowMs, link.kind === "up" ? formatAddress(link.server) : "a connection that is lost");
    }
    if (link.kind === "idle") {
      if (nowMs >= link.dialAtMs) this.startDialing(nowMs);
    } else if (link.kind === "up") {
      this.onTickUp(link.keepAlive, link.closeDeadlineMs, nowMs);
      this.searchFullServer(nowMs);
    } else if (link.kind !== "over" && nowMs >= link.deadlineMs) {
      this.lose("it did not answer in time", nowMs);
    }
    if (this.state === "suspended" && nowMs >= this.aliveUntilMs) this.become("presumed-lost");
  }

  /** Everything to be done since the last call, or undefined; counts as sent at `nowMs`. */
  takeOutput(nowMs: number): SessionOutput | undefined {
    const { deliveries } = this.exchange;
    const { length } = this.writer;
    const idle = length === 0 && deliveries.length === 0 && !this.hangUp;
    if (idle && this.dial === undefined && this.sasl === undefined && this.probe === undefined) return undefined;
    const output: SessionOutput = {
      hangUp: this.hangUp,
      dial: this.dial,
      bytes: length === 0 ? undefined : this.takeBytes(nowMs),
      sasl: this.sasl,
      probe: this.probe,
      deliveries: deliveries.length === 0 ? NO_DELIVERIES : deliveries.splice(0),
    };
    this.hangUp = false;
    this.dial = undefined;
    this.sasl = undefined;
    this.probe = undefined;
    return output;
  }

  /** The bytes of the last output have left, and their memory may be written to again. */
  onWritten(): void {
    if (this.lent.length <= WRITER_KEEP_BYTES_MAX && this.writer.length === 0) this.writer.bytes = this.lent;
    this.lent = NO_BYTES;
  }

  private linkDeadlineMs(): number {
    const link = this.link;
    switch (link.kind) {
      case "up": {
        const { keepAlive, search, closeDeadlineMs } = link;
        return Math.min(
          keepAlive.readDeadlineMs,
          keepAlive.pingDeadlineMs,
          closeDeadlineMs,
          search?.dueMs ?? Number.POSITIVE_INFINITY,
        );
      }
      case "idle":
        return link.dialAtMs;
      case "over":
        return Number.POSITIVE_INFINITY;
      default:
        return link.deadlineMs;
    }
  }

  private takeBytes(nowMs: number): Uint8Array {
    const bytes = this.writer.view();
    this.lent = this.writer.bytes;
    this.writer.bytes = NO_BYTES;
    this.writer.reset();
    this.mutableCounters.bytesSent += bytes.length;
    if (this.link.kind === "up") {
      this.link.keepAlive.onSent(nowMs);
      this.lease.onFlushed(nowMs);
    }
    return bytes;
  }

  private onTickUp(keepAlive: KeepAlive, closeDeadlineMs: number, nowMs: number): void {
    if (nowMs >= closeDeadlineMs) {
      this.lose("the server did not confirm the end of the session", nowMs);
    } else if (nowMs >= keepAlive.readDeadlineMs && keepAlive.isServerSilent(nowMs)) {
      this.lose(`nothing was heard from it for ${keepAlive.silentMs(nowMs)} ms`, nowMs);
    } else if (nowMs >= keepAlive.pingDeadlineMs) {
      this.exchange.sendPing(this.writer);
      keepAlive.onSent(nowMs);
    }
  }

  private searchFullServer(nowMs: number): void {
    const link = this.link;
    if (link.kind !== "up" || link.search === undefined || nowMs < link.search.dueMs) return;
    this.probe = this.servers.nextToProbe(link.server);
    if (this.probe === undefined) link.search.onRefused(nowMs);
    else link.search.onAsked();
  }

  private startDialing(nowMs: number): void {
    const server = this.servers.next();
    this.link = { kind: "dialing", server, deadlineMs: nowMs + this.attemptMs(nowMs) };
    this.dial = server;
    this.mutableCounters.dials++;
  }

  /**
   * How long a server may take to accept the session. Its share of the timeout, as ClientCnxn has it, would let one
   * that says nothing use up what is left of a session which others would keep: therefore also no more than half of
   * what is left.
   */
  private attemptMs(nowMs: number): number {
    const leftMs = this.aliveUntilMs - nowMs;
    const shareMs = this.timeoutMs / this.servers.size;
    return Math.max(leftMs > 0 ? Math.min(shareMs, leftMs / 2) : shareMs, ATTEMPT_MS_MIN);
  }

  private onFrame(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (this.link.kind === "up") {
      // Events come unasked: they prove that the server speaks, not that it hears, and it ends a session that
      // it does not hear. Answers prove both.
      if (!isEvent(bytes, start, end)) this.link.keepAlive.onHeard(nowMs);
      this.obey(this.exchange.onFrame(bytes, start, end, this.writer), nowMs);
    } else if (this.link.kind === "handshaking") this.onConnectResponse(bytes, start, end, nowMs);
    else if (this.link.kind === "authenticating") this.onSaslFrame(bytes, start, end, nowMs);
  }

  private onConnectResponse(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (this.link.kind !== "handshaking") return;
    const { server, sentMs } = this.link;
    if (end - start < CONNECT_RESPONSE_BYTES_MIN) {
      this.lose("it refused the session", nowMs);
      return;
    }
    const reader = new ByteReader(bytes, start, end);
    const response = connectResponse.decode(reader);
    const readOnly = reader.remaining > 0 && reader.bool();
    if (response.timeOut <= 0) {
      // A server that is cut off from the others cannot know whether they have ended the session.
      if (readOnly) this.lose("it is a read-only server, and does not know the session", nowMs);
      else this.onSessionGone(nowMs);
      return;
    }
    if (!readOnly || !this.isKnownInFull) {
      this.identity = { id: response.sessionId, password: response.passwd.slice() };
    }
    this.isKnownInFull ||= !readOnly;
    const established: Established = { sentMs, readOnly, timeoutMs: response.timeOut };
    if (this.options.sasl !== true) {
      this.establish(server, established, nowMs);
      return;
    }
    const deadlineMs = nowMs + this.attemptMs(nowMs);
    this.link = { kind: "authenticating", server, deadlineMs, established, hasAnswered: false, isClosing: false };
    this.sasl = { server, token: undefined };
  }

  private onSaslFrame(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const link = this.link;
    if (link.kind !== "authenticating") return;
    const reply = this.exchange.onFrameWhileAuthenticating(bytes, start, end);
    if (reply === undefined) return;
    if ("refusal" in reply) {
      this.finish("auth-failed", "AUTH_FAILED", `SASL: ${formatAddress(link.server)} answered ${reply.refusal}`);
    } else if (reply.token === null && !link.hasAnswered) {
      this.finish("auth-failed", "AUTH_FAILED", `SASL: ${formatAddress(link.server)} is not set up for it`);
    } else if (link.isClosing) {
      this.establish(link.server, link.established, nowMs);
    } else {
      link.hasAnswered = true;
      this.sasl = { server: link.server, token: reply.token };
    }
  }

  private establish(server: ServerAddress, { sentMs, readOnly, timeoutMs }: Established, nowMs: number): void {
    this.timeoutMs = timeoutMs;
    this.lease.onEstablished(sentMs, readOnly);
    this.link = {
      kind: "up",
      server,
      keepAlive: new KeepAlive(timeoutMs, nowMs),
      search: readOnly ? new FullServerSearch(nowMs) : undefined,
      closeDeadlineMs: Number.POSITIVE_INFINITY,
    };
    this.servers.onConnected();
    this.mutableCounters.connections++;
    this.wasConnected = true;
    this.lastProblem = undefined;
    this.become(readOnly ? "read-only" : "connected"); // before anything a reply or a catch-up event can bring
    this.exchange.resume(this.writer);
  }

  /** The servers' word that the session has ended. */
  private onSessionGone(nowMs: number): void {
    const details = "the server no longer knows the session";
    this.mutableCounters.sessionsLost++;
    if (this.options.renewsLost !== true) {
      this.finish("lost", "SESSION_EXPIRED", details);
      return;
    }
    this.disconnect();
    this.exchange.failAll("SESSION_EXPIRED", details);
    this.identity = NO_IDENTITY;
    this.isKnownInFull = false;
    this.lease.onEnded();
    this.become("lost");
    this.become("connecting");
    // The same zxid is told with the watches to the new session's server: what changed meanwhile fires.
    this.link = { kind: "idle", dialAtMs: nowMs };
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
    if (!this.wasConnected && this.fruitlessRounds >= (this.options.connectRoundsMax ?? Number.POSITIVE_INFINITY)) {
      this.finish("closed", "CONNECTION_LOSS", this.lastProblem);
      return;
    }
    this.disconnect();
    if (link.kind === "up") {
      this.exchange.failInFlight(this.lastProblem);
      this.become("suspended");
    } else if (this.fruitlessRounds > 0) {
      // Not before: one dead server of three must not fail a request that the next one would have taken.
      this.exchange.failImpatient(this.lastProblem);
    }
    const delayMsMax = this.options.reconnectDelayMsMax ?? RECONNECT_DELAY_MS_MAX_DEFAULT;
    const delayMs = backOffMs(this.fruitlessRounds, delayMsMax, this.options.random);
    this.link = { kind: "idle", dialAtMs: nowMs + delayMs };
  }

  private finish(state: FinalState, code: ErrorName, details: string): void {
    this.disconnect();
    this.exchange.failAll(code, details);
    this.exchange.failCredentials(code, details);
    this.lastProblem = details;
    this.link = { kind: "over" };
    this.become(state);
    this.exchange.watches.clear();
  }

  private disconnect(): void {
    if (this.link.kind !== "idle" && this.link.kind !== "over") this.hangUp = true;
    this.dial = undefined;
    this.sasl = undefined;
    this.splitter = undefined;
    this.writer.reset();
  }

  /** The only place where the state changes. Every watcher is told (M13). */
  private become(state: SessionState): void {
    if (this.state === state) return;
    this.state = state;
    const renewing = state === "lost" && this.options.renewsLost === true;
    this.exchange.deliveries.push(sessionEvent(state, this.exchange.watches.all(), renewing));
  }

  private failSuspended(call: Call): void {
    this.exchange.fail(call, { code: "CONNECTION_LOSS", outcome: "not-applied", details: this.lastProblem });
  }

  private refusal(): ErrorName | undefined {
    if (this.state === "lost") return "SESSION_EXPIRED";
    if (this.state === "auth-failed") return "AUTH_FAILED";
    return this.closing || this.state === "closed" ? "CLOSING" : undefined;
  }
}

function isEvent(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= REPLY_HEADER_BYTES && readInt(bytes, start) === XID.notification;
}

const NO_DELIVERIES: readonly Delivery[] = [];
