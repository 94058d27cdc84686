import {
  ByteReader,
  type ByteWriter,
  ERR,
  type ErrorName,
  errorName,
  OP,
  REPLY_HEADER_BYTES,
  readInt,
  WireError,
  watcherEvent,
  XID,
} from "@watchkeeper/wire";
import { type Call, connectionLoss, type Failure } from "./call.js";
import { CallQueue } from "./call-queue.js";
import type { Chroot } from "./chroot.js";
import { type Credential, Credentials } from "./credentials.js";
import type { Delivery } from "./delivery.js";
import { appendFrame, beginFrame, endFrame } from "./frames.js";
import { type NodeEvent, nodeEventKind } from "./watch-event.js";
import { appendSetWatches } from "./watch-replay.js";
import { WatchTable } from "./watch-table.js";

/** What became of the connection by a frame; undefined: it goes on. */
export type FrameVerdict =
  | { readonly kind: "broken"; readonly details: string }
  | { readonly kind: "auth-failed"; readonly details: string }
  | { readonly kind: "session-closed" };

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
  private readonly credentials = new Credentials();
  /** Submitted while there was no connection; sent first thing on the next. */
  private readonly waiting = new CallQueue();
  /** Sent on the present connection. Invariant: empty while there is none. */
  private readonly inFlight = new CallQueue();
  private readonly chroot: Chroot;
  private readonly requestBytesMax: number;
  private readonly reader = new ByteReader(new Uint8Array(0));
  private lastXid = 0;
  /** The xid of closeSession, once that is sent. */
  private closeXid: number | undefined;
  // The zxid of the latest reply to an ordinary request, as its two halves: compared never, copied often.
  private lastZxidHigh = 0;
  private lastZxidLow = 0;

  constructor(chroot: Chroot, requestBytesMax: number) {
    this.chroot = chroot;
    this.requestBytesMax = requestBytesMax;
  }

  get lastZxidSeen(): bigint {
    return (BigInt(this.lastZxidHigh) << 32n) | BigInt(this.lastZxidLow >>> 0);
  }

  wait(call: Call): void {
    this.waiting.push(call);
  }

  /** Encodes a call, or fails it at once if no server would take it. */
  send(call: Call, writer: ByteWriter): void {
    const xid = this.nextXid();
    const start = beginFrame(writer, xid, call.opcode);
    call.encodeBody(writer);
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
  }

  sendCredential(credential: Credential, writer: ByteWriter | undefined): void {
    this.credentials.add(credential);
    if (writer !== undefined) this.credentials.append(writer, credential);
  }

  sendClose(writer: ByteWriter): void {
    this.closeXid = this.nextXid();
    appendFrame(writer, this.closeXid, OP.closeSession);
  }

  /** A connection stands: credentials, then watches, then what waited; in this order, as each may need the one before. */
  resume(writer: ByteWriter): void {
    this.credentials.appendAll(writer);
    appendSetWatches(writer, this.watches, this.lastZxidSeen);
    for (let call = this.waiting.shift(); call !== undefined; call = this.waiting.shift()) this.send(call, writer);
  }

  /** The connection is gone: whether what was sent has been carried out, nobody can say. */
  failInFlight(details: string): void {
    for (let call = this.inFlight.shift(); call !== undefined; call = this.inFlight.shift()) {
      this.fail(call, connectionLoss(call, details));
    }
  }

  failWaiting(code: ErrorName, details: string): void {
    for (let call = this.waiting.shift(); call !== undefined; call = this.waiting.shift()) {
      this.fail(call, { code, outcome: "not-applied", details });
    }
  }

  /** The session is over: nothing will be answered any more. */
  failAll(code: ErrorName, details: string): void {
    this.failInFlight(details);
    this.failWaiting(code, details);
    for (const call of this.credentials.takeCalls()) this.fail(call, { code, outcome: "not-applied", details });
  }

  /** The first call in flight has a reply that cannot be taken; asking again would bring the same. */
  failFirst(details: string): void {
    const call = this.inFlight.shift();
    if (call !== undefined) this.failUnreadable(call, details);
  }

  fail(call: Call, failure: Failure): void {
    call.failure = failure;
    this.deliveries.push(call);
  }

  onFrame(bytes: Uint8Array, start: number, end: number): FrameVerdict | undefined {
    if (end - start < REPLY_HEADER_BYTES)
      return broken(`a reply of ${end - start} bytes came, too short for its header`);
    const xid = readInt(bytes, start);
    const err = readInt(bytes, start + 12);
    this.reader.reset(bytes, start + REPLY_HEADER_BYTES, end);
    switch (xid) {
      case XID.notification:
        return this.onNotification(bytes, start);
      case XID.ping:
        return undefined;
      case XID.auth:
        return this.onAuthReply(err);
      case XID.setWatches:
        return err === ERR_OK ? undefined : broken(`the server refused the watches: ${codeName(err)}`);
      default:
        return this.onReply(xid, err, bytes, start);
    }
  }

  private onReply(xid: number, err: number, bytes: Uint8Array, start: number): FrameVerdict | undefined {
    const call = this.inFlight.first();
    if (call === undefined && xid === this.closeXid) return { kind: "session-closed" };
    if (call === undefined || call.xid !== xid) {
      return broken(`a reply to request ${xid} came, to ${call?.xid ?? "none"} was expected`);
    }
    this.inFlight.shift();
    this.noteZxid(readInt(bytes, start + 4), readInt(bytes, start + 8));
    if (err === ERR_OK) {
      const problem = this.decodeInto(call);
      if (problem !== undefined) {
        this.failUnreadable(call, problem);
        return broken(problem);
      }
    } else if (err === ERR.NO_NODE && call.absentIsResult) {
      call.result = null;
    } else {
      call.failure = { code: codeName(err), outcome: "not-applied", details: unknownCode(err) };
    }
    this.noteWatches(call, err);
    this.deliveries.push(call);
    return undefined;
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
    this.fail(call, { code: "MARSHALLING_ERROR", outcome: call.changesTree ? "unknown" : "not-applied", details });
  }

  /** The server has registered (or removed) the watch with this reply, and events follow: the table must be ready first. */
  private noteWatches(call: Call, err: number): void {
    const watch = call.watch;
    if (watch !== undefined) {
      if (err === ERR_OK) this.watches.add(watch.kind, watch.path, watch.listener);
      else if (call.absentIsResult && err === ERR.NO_NODE) this.watches.add("exist", watch.path, watch.listener);
    }
    const removed = call.removesWatches;
    if (removed === undefined || err !== ERR_OK) return;
    const listeners = this.watches.remove(removed.path, removed.type);
    const path = this.chroot.toApplication(removed.path);
    if (listeners.size > 0 && path !== undefined) {
      this.deliveries.push({ kind: "event", event: { kind: "removed", path }, listeners });
    }
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
    if (listeners.size === 0 || path === undefined) return undefined;
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
    if (credential.call !== undefined) this.deliveries.push(credential.call);
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
