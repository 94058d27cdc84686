import {
  ByteReader,
  type ByteWriter,
  ERR,
  errorName,
  OP,
  operations,
  REPLY_HEADER_BYTES,
  readInt,
  WireError,
  watcherEvent,
  XID,
} from "@watchkeeper/wire";
import { type Call, type Failure, outcomeWithoutAnswer, unwritable } from "./call.js";
import { CallQueue } from "./call-queue.js";
import type { Chroot } from "./chroot.js";
import type { MutableCounters } from "./counters.js";
import { type Credential, Credentials } from "./credentials.js";
import { DeadlineWheel } from "./deadline-wheel.js";
import type { Delivery } from "./delivery.js";
import type { ErrorName } from "./error-codes.js";
import { appendFrame, beginFrame, endFrame } from "./frames.js";
import type { SessionLease } from "./session-lease.js";
import { type NodeEvent, nodeEventKind } from "./watch-event.js";
import { appendSetWatches, appendWatchesOf } from "./watch-replay.js";
import { WatchTable } from "./watch-table.js";

/** What became of the connection by a frame; undefined: it goes on. */
export type FrameVerdict =
  | { readonly kind: "broken"; readonly details: string }
  | { readonly kind: "auth-failed"; readonly details: string }
  | { readonly kind: "session-closed" };

/** What a reply to a SASL token says: the server's next token (null where it has none), or its refusal. */
export type SaslReply = { readonly token: Uint8Array | null } | { readonly refusal: string };

const XID_MAX = 0x7fffffff;

/**
 * The conversation of a session, over however many connections it takes: calls waiting and in flight,
 * credentials, watches and the last zxid seen. It knows what is said, not when or to whom.
 *
 * The server answers positive xids strictly in the order sent, so a reply is matched with the first
 * call in flight; a reply to anything else means that the two sides no longer speak of the same thing.
 */
export class Exchange {
  readonly watches = new WatchTable();
  readonly deliveries: Delivery[] = [];
  /** Made for the first call that has a deadline. */
  private deadlines: DeadlineWheel | undefined;
  private readonly credentials = new Credentials();
  /** Submitted while there was no connection; sent first thing on the next. */
  private readonly waiting = new CallQueue();
  /** Sent on the present connection. Invariant: empty while there is none. */
  private readonly inFlight = new CallQueue();
  private readonly chroot: Chroot;
  private readonly requestBytesMax: number;
  private readonly lease: SessionLease;
  private readonly counters: MutableCounters;
  private readonly reader = new ByteReader(new Uint8Array(0));
  private lastXid = 0;
  private pingsInFlight = 0;
  /** The xid of closeSession, once that is sent. */
  private closeXid: number | undefined;
  // The zxid of the latest reply to an ordinary request, as its two halves: compared never, copied often.
  private lastZxidHigh = 0;
  private lastZxidLow = 0;

  constructor(chroot: Chroot, requestBytesMax: number, lease: SessionLease, counters: MutableCounters) {
    this.chroot = chroot;
    this.requestBytesMax = requestBytesMax;
    this.lease = lease;
    this.counters = counters;
  }

  get lastZxidSeen(): bigint {
    return (BigInt(this.lastZxidHigh) << 32n) | BigInt(this.lastZxidLow >>> 0);
  }

  get nextDeadlineMs(): number {
    return this.deadlines === undefined ? Number.POSITIVE_INFINITY : this.deadlines.nextMs;
  }

  /** Every call comes by here first; `wait`, `send` or `fail` follows. */
  accept(call: Call, nowMs: number): void {
    this.counters.calls++;
    if (call.timeoutMs > 0) {
      this.deadlines ??= new DeadlineWheel();
      this.deadlines.add(call, nowMs + call.timeoutMs);
    }
    const watch = call.addsWatch;
    // Before its request is answered, so that a reconnect in between carries it to the next server.
    if (watch !== undefined) this.watches.add(watch.kind, watch.path, watch.listener);
  }

  wait(call: Call): void {
    this.waiting.push(call);
  }

  /** Encodes a call, or fails it at once if no server would take it. */
  send(call: Call, writer: ByteWriter): void {
    const xid = this.nextXid();
    const start = beginFrame(writer, xid, call.opcode);
    try {
      call.encodeBody(writer);
    } catch (error) {
      writer.length = start; // half a request would be the end of the connection, and of all that is in flight
      this.fail(call, unwritable(error));
      return;
    }
    const { watch } = call;
    // Servers before 3.9 keep one mode for a path and a client: a one-shot watch would take the place of
    // a persistent one, and end it with its event. It is not needed there: the other's events serve both.
    if (watch !== undefined && this.watches.isCovered(watch.kind, watch.path)) writer.bytes[writer.length - 1] = 0;
    const length = endFrame(writer, start);
    if (length > this.requestBytesMax) {
      writer.length = start;
      this.fail(call, {
        code: "BAD_ARGUMENTS",
        outcome: "not-applied",
        details: `the request takes ${length} bytes, ${this.requestBytesMax} are allowed`,
      });
      return;
    }
    call.xid = xid;
    this.inFlight.push(call);
    this.lease.onRequest();
  }

  sendPing(writer: ByteWriter): void {
    appendFrame(writer, XID.ping, OP.ping);
    this.pingsInFlight++;
    this.counters.pings++;
    this.lease.onRequest();
  }

  sendCredential(credential: Credential, writer: ByteWriter | undefined): void {
    this.credentials.add(credential);
    if (writer !== undefined) this.credentials.append(writer, credential);
  }

  sendSaslToken(token: Uint8Array, writer: ByteWriter): void {
    appendFrame(writer, this.nextXid(), OP.sasl, () => operations.sasl.request.encode(writer, { token }));
  }

  sendClose(writer: ByteWriter): void {
    this.closeXid = this.nextXid();
    appendFrame(writer, this.closeXid, OP.closeSession);
  }

  /** A connection stands: credentials, then watches, then what waited; in this order, as each may need the one before. */
  resume(writer: ByteWriter): void {
    this.credentials.appendAll(writer);
    this.counters.watchesRestored += appendSetWatches(writer, this.watches, this.lastZxidSeen);
    for (let call = this.waiting.shift(); call !== undefined; call = this.waiting.shift()) {
      if (!call.isOver) this.send(call, writer);
    }
  }

  /** The connection is gone: whether what was sent has been carried out, nobody can say. */
  failInFlight(details: string): void {
    this.pingsInFlight = 0;
    for (let call = this.inFlight.shift(); call !== undefined; call = this.inFlight.shift()) {
      this.fail(call, { code: "CONNECTION_LOSS", outcome: outcomeWithoutAnswer(call), details });
    }
  }

  failWaiting(code: ErrorName, details: string): void {
    for (const call of this.waiting.keep(() => false)) this.fail(call, { code, outcome: "not-applied", details });
  }

  /** All servers were tried in vain. */
  failImpatient(details: string): void {
    if (this.waiting.size === 0) return;
    for (const call of this.waiting.keep(({ whenSuspended, isOver }) => whenSuspended === "wait" && !isOver)) {
      this.fail(call, { code: "CONNECTION_LOSS", outcome: "not-applied", details });
    }
  }

  /** The session is over: nothing will be answered any more. */
  failAll(code: ErrorName, details: string): void {
    this.failInFlight(details);
    this.failWaiting(code, details);
  }

  failCredentials(code: ErrorName, details: string): void {
    for (const call of this.credentials.takeCalls()) this.fail(call, { code, outcome: "not-applied", details });
  }

  /** The first call in flight has a reply that cannot be taken; asking again would bring the same. */
  failFirst(details: string): void {
    const call = this.inFlight.shift();
    if (call !== undefined) this.failUnreadable(call, details);
  }

  /** Completes a call without a result, unless it is over: by a failure, a deadline, or its caller. */
  fail(call: Call, failure: Failure): void {
    if (call.isOver) return;
    call.failure = failure;
    this.counters.callsFailed++;
    this.complete(call);
  }

  /** Fails the calls whose deadline has passed. Those in flight keep their place: their replies still come. */
  failDue(nowMs: number, waitingFor: string): void {
    for (const call of this.deadlines?.takeDue(nowMs) ?? []) {
      this.counters.callsTimedOut++;
      const details = `${call.timeoutMs} ms, waiting for ${call.xid === 0 ? "a connection" : waitingFor}`;
      this.fail(call, { code: "REQUEST_TIMEOUT", outcome: outcomeWithoutAnswer(call), details });
    }
  }

  /** What it must say in return goes into `writer`. */
  onFrame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): FrameVerdict | undefined {
    if (end - start < REPLY_HEADER_BYTES)
      return broken(`a reply of ${end - start} bytes came, too short for its header`);
    const xid = readInt(bytes, start);
    const err = readInt(bytes, start + 12);
    this.reader.reset(bytes, start + REPLY_HEADER_BYTES, end);
    switch (xid) {
      case XID.notification:
        return this.onNotification(bytes, start);
      case XID.ping:
        this.onPingReply();
        return undefined;
      case XID.auth:
        return this.onAuthReply(err);
      case XID.setWatches:
        return err === ERR_OK ? undefined : broken(`the server refused the watches: ${codeName(err)}`);
      default:
        return this.onReply(xid, err, bytes, start, writer);
    }
  }

  /** A frame that comes before authentication has ended; undefined for one that says nothing of it. */
  onFrameWhileAuthenticating(bytes: Uint8Array, start: number, end: number): SaslReply | undefined {
    if (end - start < REPLY_HEADER_BYTES) return { refusal: "its answer is too short" };
    const xid = readInt(bytes, start);
    if (xid === XID.notification || xid === XID.ping) return undefined;
    const err = readInt(bytes, start + 12);
    if (err !== ERR_OK) return { refusal: codeName(err) };
    this.reader.reset(bytes, start + REPLY_HEADER_BYTES, end);
    return { token: operations.sasl.response.decode(this.reader).token?.slice() ?? null };
  }

  /** One that answers no ping, such as a repeated one, must not count as proof that the server has heard us. */
  private onPingReply(): void {
    if (this.pingsInFlight === 0) return;
    this.pingsInFlight--;
    this.lease.onAnswer();
  }

  private onReply(
    xid: number,
    err: number,
    bytes: Uint8Array,
    start: number,
    writer: ByteWriter,
  ): FrameVerdict | undefined {
    const call = this.inFlight.first();
    if (call === undefined && xid === this.closeXid) return { kind: "session-closed" };
    if (call === undefined || call.xid !== xid) {
      return broken(`a reply to request ${xid} came, to ${call?.xid ?? "none"} was expected`);
    }
    this.inFlight.shift();
    this.lease.onAnswer();
    this.noteZxid(readInt(bytes, start + 4), readInt(bytes, start + 8));
    if (call.isOver) {
      // Its listener, like its caller, has gone: the event of the watch it has set will find nobody.
      this.noteRemoval(call, err, writer);
      return undefined;
    }
    if (err === ERR_OK) {
      const problem = this.decodeInto(call);
      if (problem !== undefined) {
        this.failUnreadable(call, problem);
        return broken(problem);
      }
    } else if (err === ERR.NO_NODE && call.absentIsResult) {
      call.result = null;
    } else if (!this.isRemovalOfCovered(call, err)) {
      call.failure = { code: codeName(err), outcome: "not-applied", details: unknownCode(err) };
      this.counters.callsFailed++;
    }
    this.noteWatch(call, err);
    this.noteRemoval(call, call.failure === undefined ? ERR_OK : err, writer);
    this.complete(call);
    return undefined;
  }

  private complete(call: Call): void {
    call.isOver = true;
    this.deadlines?.remove(call);
    this.deliveries.push(call);
  }

  private decodeInto(call: Call): string | undefined {
    try {
      call.result = call.decodeBody(this.reader);
      return undefined;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return `the reply could not be read: ${error.message}`;
    }
  }

  private failUnreadable(call: Call, details: string): void {
    // The request was carried out: only its answer is of no use.
    this.fail(call, { code: "MARSHALLING_ERROR", outcome: outcomeWithoutAnswer(call), details });
  }

  /** The server has registered the watch with this reply, and events follow: the table must be ready first. */
  private noteWatch(call: Call, err: number): void {
    const { watch, addsWatch } = call;
    if (watch !== undefined) {
      if (err === ERR_OK) this.watches.add(watch.kind, watch.path, watch.listener);
      else if (call.absentIsResult && err === ERR.NO_NODE) this.watches.add("exist", watch.path, watch.listener);
    }
    // A server that does not know the request hangs up next: on the way back the watch must not be there.
    if (addsWatch !== undefined && err !== ERR_OK)
      this.watches.drop(addsWatch.kind, addsWatch.path, addsWatch.listener);
  }

  private noteRemoval(call: Call, err: number, writer: ByteWriter): void {
    const removed = call.removesWatches;
    if (removed === undefined || err !== ERR_OK) return;
    const listeners = this.watches.remove(removed.path, removed.type);
    const path = this.chroot.toApplication(removed.path);
    if (listeners.size > 0 && path !== undefined) {
      this.deliveries.push({ kind: "event", event: { kind: "removed", path }, listeners });
    }
    // Reads that were sent before it are answered by now: no one-shot watch is missing here.
    appendWatchesOf(writer, this.watches, removed.path, this.lastZxidSeen);
  }

  /** One-shot watches that a persistent one stands for (see `send`) are unknown to the server, and removed here alone. */
  private isRemovalOfCovered(call: Call, err: number): boolean {
    const removed = call.removesWatches;
    return removed !== undefined && err === ERR.NO_WATCHER && this.watches.hasOfType(removed.path, removed.type);
  }

  private onNotification(bytes: Uint8Array, start: number): FrameVerdict | undefined {
    let event: ReturnType<typeof watcherEvent.decode>;
    try {
      event = watcherEvent.decode(this.reader);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return broken(`an event could not be read: ${error.message}`);
    }
    const kind = nodeEventKind(event.type);
    if (kind === undefined) return undefined; // a later server's invention is no reason to lose the session
    const listeners = this.watches.take(kind, event.path);
    const path = this.chroot.toApplication(event.path);
    if (listeners.size === 0 || path === undefined) {
      this.counters.eventsUnwanted++;
      return undefined;
    }
    this.counters.events++;
    const zxid = (BigInt(readInt(bytes, start + 4)) << 32n) | BigInt(readInt(bytes, start + 8) >>> 0);
    const told: NodeEvent = { kind, path, zxid: zxid > 0n ? zxid : undefined };
    this.deliveries.push({ kind: "event", event: told, listeners });
    return undefined;
  }

  private onAuthReply(err: number): FrameVerdict | undefined {
    const credential = this.credentials.takeAnswered();
    if (credential === undefined) return broken("an answer to a credential came, none was sent");
    if (err !== ERR_OK) {
      return { kind: "auth-failed", details: `scheme ${credential.scheme}: ${codeName(err)}` };
    }
    if (credential.call !== undefined && !credential.call.isOver) this.complete(credential.call);
    credential.call = undefined;
    return undefined;
  }

  private noteZxid(high: number, low: number): void {
    if (high < 0 || (high === 0 && low === 0)) return; // refusals carry 0 or -1, which say nothing of the tree
    this.lastZxidHigh = high;
    this.lastZxidLow = low;
  }

  private nextXid(): number {
    this.lastXid = this.lastXid === XID_MAX ? 1 : this.lastXid + 1;
    return this.lastXid;
  }
}

const ERR_OK = 0;

function broken(details: string): FrameVerdict {
  return { kind: "broken", details };
}

function codeName(err: number): ErrorName {
  return errorName(err) ?? "SYSTEM_ERROR";
}

function unknownCode(err: number): string | undefined {
  return errorName(err) === undefined ? `unknown error code ${err}` : undefined;
}
