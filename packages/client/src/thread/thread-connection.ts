import { Worker } from "node:worker_threads";
import { type ByteReader, WireError } from "@watchkeeper/wire";
import {
  type Call,
  Chroot,
  type Delivery,
  type ErrorName,
  type Failure,
  isLastEvent,
  type NodeEvent,
  outcomeWithoutAnswer,
  type ServerAddress,
  type SessionEvent,
  unwritable,
  type WatchKind,
  type WatchListener,
  WatchTable,
} from "../session/index.js";
import type { ConnectionHalf, SessionView } from "../transport/connection-half.js";
import { CommandBatch } from "./commands.js";
import type { ReportMessage, SessionSnapshot, ThreadData } from "./messages.js";
import { type ReportReceiver, readReports } from "./reports.js";
import { SharedFigures } from "./shared-figures.js";

export type ThreadOptions = Omit<ThreadData, "figures"> & {
  readonly deliver: (deliveries: readonly Delivery[]) => void;
};

/**
 * The application's side of a connection half that runs in a thread of its own (M1): while the
 * application blocks its thread, for however long, pings are sent and the session lives; what arrives
 * meanwhile is delivered afterwards, in order.
 *
 * Requests are encoded and replies decoded here. What needs the present connection is decided there: the
 * xid, what becomes of a request without a connection, its deadline, whether it was sent when it was given
 * up. So this side's `xid` of a call is only its number in the talk between the two.
 *
 * Both sides keep a table of watches. The other one has the paths, for reconnects; this one has the
 * listeners. They stay alike because both change with the same completions and events in the same order.
 */
export class ThreadConnection implements ConnectionHalf, ReportReceiver {
  readonly chroot: Chroot;
  readonly watches = new WatchTable();
  private readonly worker: Worker;
  private readonly deliver: ThreadOptions["deliver"];
  private readonly figures: SharedFigures;
  private snapshot: SessionSnapshot;
  private lastZxid = 0n;
  private readonly calls = new Map<number, Call>();
  private lastId = 0;
  private reportsSeen = 0;
  private readonly commands = new CommandBatch();
  private flushScheduled = false;
  private deliveries: Delivery[] = [];
  private ended = false;

  constructor({ deliver, ...options }: ThreadOptions) {
    const { chroot, sessionTimeoutMs, session } = options.session;
    this.chroot = new Chroot(chroot);
    this.deliver = deliver;
    const figures = SharedFigures.memory();
    this.figures = new SharedFigures(figures);
    this.snapshot = {
      state: "connecting",
      identity: session ?? { id: 0n, password: new Uint8Array(16) },
      timeoutMs: sessionTimeoutMs,
      server: undefined,
      lastProblem: undefined,
    };
    const workerData: ThreadData = { ...options, figures };
    this.worker = new Worker(new URL("./connection-thread.js", import.meta.url), { workerData, execArgv: [] });
    this.worker.on("message", (message: ReportMessage) => this.onReports(message));
    this.worker.on("error", (error) => this.onGone(`the connection's thread failed: ${error.message}`));
    this.worker.on("exit", () => this.onGone("the connection's thread has ended"));
  }

  get session(): SessionView {
    const { counters, aliveUntilMs } = this.figures;
    return { ...this.snapshot, lastZxidSeen: this.lastZxid, counters, aliveUntilMs };
  }

  submit(call: Call): void {
    const { addsWatch } = call;
    if (addsWatch !== undefined) this.watches.add(addsWatch.kind, addsWatch.path, addsWatch.listener);
    if (this.refuses(call)) return;
    this.number(call);
    try {
      this.commands.call(call);
    } catch (error) {
      this.fail(call, unwritable(error));
      return;
    }
    this.calls.set(call.xid, call);
    this.scheduleFlush();
  }

  addCredential(scheme: string, auth: Uint8Array, call: Call): void {
    if (this.refuses(call)) return;
    this.number(call);
    this.commands.credential(scheme, auth, call);
    this.calls.set(call.xid, call);
    this.scheduleFlush();
  }

  cancel(call: Call): void {
    if (call.xid === 0 || call.isOver) return;
    this.commands.cancel(call.xid);
    this.scheduleFlush();
  }

  dropWatch(kind: WatchKind, path: string, listener: WatchListener): void {
    this.watches.drop(kind, path, listener);
    if (this.watches.has(kind, path)) return;
    this.commands.dropWatch(kind, path);
    this.scheduleFlush();
  }

  updateServers(servers: readonly ServerAddress[]): void {
    this.commands.updateServers(servers);
    this.scheduleFlush();
  }

  close(): void {
    this.commands.close();
    this.scheduleFlush();
  }

  private refuses(call: Call): boolean {
    if (!this.ended) return false;
    this.fail(call, { code: REFUSALS[this.snapshot.state] ?? "CLOSING", outcome: "not-applied" });
    return true;
  }

  private fail(call: Call, failure: Failure): void {
    call.isOver = true;
    call.failure = failure;
    this.deliver([call]);
  }

  private number(call: Call): void {
    this.lastId = this.lastId === ID_MAX ? 1 : this.lastId + 1;
    call.xid = this.lastId;
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    process.nextTick(this.flush);
  }

  /** All that was asked for in one turn of the program crosses over in one message. */
  private readonly flush = (): void => {
    this.flushScheduled = false;
    const batch = this.commands.take(this.reportsSeen);
    if (!this.ended) this.worker.postMessage(batch, [batch]);
  };

  private onReports(message: ReportMessage): void {
    if (this.ended) return;
    this.reportsSeen++;
    if (message instanceof ArrayBuffer) {
      readReports(message, this);
    } else {
      this.snapshot = message.session;
      readReports(message.batch, this);
    }
    this.deliverAll();
  }

  private deliverAll(): void {
    const { deliveries } = this;
    this.deliveries = [];
    this.deliver(deliveries);
  }

  onLastZxid(zxid: bigint): void {
    this.lastZxid = zxid;
  }

  onEvent(event: NodeEvent | SessionEvent): void {
    if (event.kind === "session") {
      this.deliveries.push({ kind: "event", event, listeners: this.watches.all() });
      if (!isLastEvent(event)) return;
      this.ended = true;
      this.watches.clear();
      return;
    }
    const listeners = this.watches.take(event.kind, event.path);
    const path = this.chroot.toApplication(event.path);
    if (listeners.size > 0 && path !== undefined) {
      this.deliveries.push({ kind: "event", event: { ...event, path }, listeners });
    }
  }

  onAnswer(id: number, reply: ByteReader): void {
    const call = this.take(id);
    if (call === undefined) return;
    this.decodeInto(call, reply);
    const { watch, removesWatches } = call;
    if (watch !== undefined && call.failure === undefined) this.watches.add(watch.kind, watch.path, watch.listener);
    if (removesWatches !== undefined && call.failure === undefined) this.removed(removesWatches);
    this.deliveries.push(call);
  }

  onAbsent(id: number): void {
    const call = this.take(id);
    if (call === undefined) return;
    call.result = null;
    if (call.watch !== undefined) this.watches.add("exist", call.watch.path, call.watch.listener);
    this.deliveries.push(call);
  }

  onFailure(id: number, failure: Failure): void {
    const call = this.take(id);
    if (call === undefined) return;
    call.failure = failure;
    this.deliveries.push(call);
  }

  private take(id: number): Call | undefined {
    const call = this.calls.get(id);
    if (call === undefined) return undefined;
    this.calls.delete(id);
    call.isOver = true;
    return call;
  }

  /** What it decodes to has memory of its own: a short value that is kept does not keep the whole batch. */
  private decodeInto(call: Call, reply: ByteReader): void {
    try {
      call.result = call.decodeBody(reply);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const details = `the reply could not be read: ${error.message}`;
      call.failure = { code: "MARSHALLING_ERROR", outcome: outcomeWithoutAnswer(call), details };
    }
  }

  private removed({ path, type }: { path: string; type: number }): void {
    const listeners = this.watches.remove(path, type);
    const told = this.chroot.toApplication(path);
    if (listeners.size > 0 && told !== undefined) {
      this.deliveries.push({ kind: "event", event: { kind: "removed", path: told }, listeners });
    }
  }

  /** The thread is gone, and the session's connection with it. After the last event that is as it should be. */
  private onGone(details: string): void {
    if (this.ended) return;
    for (const id of [...this.calls.keys()]) {
      const call = this.calls.get(id)!;
      this.onFailure(id, { code: "CONNECTION_LOSS", outcome: outcomeWithoutAnswer(call), details });
    }
    this.snapshot = { ...this.snapshot, state: "closed", lastProblem: details };
    this.onEvent({ kind: "session", state: "closed" });
    this.deliverAll();
  }
}

const ID_MAX = 0x7fffffff;
const REFUSALS: Partial<Record<string, ErrorName>> = { lost: "SESSION_EXPIRED", "auth-failed": "AUTH_FAILED" };
