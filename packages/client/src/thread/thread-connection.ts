import { Worker } from "node:worker_threads";
import { ByteReader, ByteWriter, WireError } from "@watchkeeper/wire";
import {
  type Call,
  Chroot,
  type Delivery,
  type ErrorName,
  isLastEvent,
  type NodeEvent,
  newCounters,
  outcomeWithoutAnswer,
  type ServerAddress,
  type SessionEvent,
  type WatchKind,
  type WatchListener,
  WatchTable,
} from "../session/index.js";
import type { ConnectionHalf, SessionView } from "../transport/connection-half.js";
import type { Command, CommandBatch, Report, ReportBatch, SessionSnapshot, ThreadData } from "./messages.js";

export type ThreadOptions = Omit<ThreadData, "aliveUntil"> & {
  readonly deliver: (deliveries: readonly Delivery[]) => void;
};

/**
 * The application's side of a connection half that runs in a thread of its own (M1): while the
 * application blocks its thread, for however long, pings are sent and the session lives; what arrives
 * meanwhile is delivered afterwards, in order.
 *
 * Both sides keep a table of watches. The other one has the paths, for reconnects; this one has the
 * listeners. They stay alike because both change with the same completions and events in the same order.
 */
export class ThreadConnection implements ConnectionHalf {
  readonly chroot: Chroot;
  readonly watches = new WatchTable();
  private readonly worker: Worker;
  private readonly deliver: ThreadOptions["deliver"];
  private readonly aliveUntil: Float64Array;
  private snapshot: SessionSnapshot;
  private readonly calls = new Map<number, Call>();
  private readonly ids = new WeakMap<Call, number>();
  private lastId = 0;
  private reportsSeen = 0;
  private commands: Command[] = [];
  private readonly writer = new ByteWriter();
  private ended = false;

  constructor({ deliver, ...options }: ThreadOptions) {
    const { chroot, sessionTimeoutMs, session } = options.session;
    this.chroot = new Chroot(chroot);
    this.deliver = deliver;
    const aliveUntil = new SharedArrayBuffer(8);
    this.aliveUntil = new Float64Array(aliveUntil);
    this.aliveUntil[0] = Number.POSITIVE_INFINITY;
    this.snapshot = {
      state: "connecting",
      identity: session ?? { id: 0n, password: new Uint8Array(16) },
      timeoutMs: sessionTimeoutMs,
      server: undefined,
      lastProblem: undefined,
      lastZxidSeen: 0n,
      counters: newCounters(),
    };
    const workerData: ThreadData = { ...options, aliveUntil };
    this.worker = new Worker(new URL("./connection-thread.js", import.meta.url), { workerData, execArgv: [] });
    this.worker.on("message", (batch: ReportBatch) => this.onReports(batch));
    this.worker.on("error", (error) => this.onGone(`the connection's thread failed: ${error.message}`));
    this.worker.on("exit", () => this.onGone("the connection's thread has ended"));
  }

  get session(): SessionView {
    const aliveUntilMs = this.aliveUntil[0]! - performance.timeOrigin;
    return { ...this.snapshot, aliveUntilMs };
  }

  submit(call: Call): void {
    const { addsWatch } = call;
    if (addsWatch !== undefined) this.watches.add(addsWatch.kind, addsWatch.path, addsWatch.listener);
    this.send(call, undefined);
  }

  addCredential(scheme: string, auth: Uint8Array, call: Call): void {
    this.send(call, { scheme, bytes: auth });
  }

  cancel(call: Call): void {
    const id = this.ids.get(call);
    if (id !== undefined && !call.isOver) this.command({ kind: "cancel", id });
  }

  dropWatch(kind: WatchKind, path: string, listener: WatchListener): void {
    this.watches.drop(kind, path, listener);
    if (!this.watches.has(kind, path)) this.command({ kind: "dropWatch", watchKind: kind, path });
  }

  updateServers(servers: readonly ServerAddress[]): void {
    this.command({ kind: "updateServers", servers });
  }

  close(): void {
    this.command({ kind: "close" });
  }

  private send(call: Call, auth: { scheme: string; bytes: Uint8Array } | undefined): void {
    if (this.ended) {
      call.isOver = true;
      call.failure = { code: REFUSALS[this.snapshot.state] ?? "CLOSING", outcome: "not-applied" };
      this.deliver([call]);
      return;
    }
    const { opcode, changesTree, absentIsResult, watch, addsWatch, removesWatches, timeoutMs, whenSuspended } = call;
    const id = ++this.lastId;
    this.calls.set(id, call);
    this.ids.set(call, id);
    const start = this.writer.length;
    if (auth === undefined) call.encodeBody(this.writer);
    this.command({
      kind: "call",
      id,
      opcode,
      changesTree,
      absentIsResult,
      watch: watch && { kind: watch.kind, path: watch.path },
      addsWatch: addsWatch && { kind: addsWatch.kind, path: addsWatch.path },
      removesWatches,
      timeoutMs,
      whenSuspended,
      start,
      end: this.writer.length,
      auth,
    });
  }

  private command(command: Command): void {
    if (this.ended) return;
    if (this.commands.length === 0) process.nextTick(() => this.flush());
    this.commands.push(command);
  }

  /** All that was asked for in one turn of the program crosses over in one message. */
  private flush(): void {
    const { commands, reportsSeen } = this;
    const batch: CommandBatch = { reportsSeen, commands, bytes: this.writer.view() };
    this.worker.postMessage(batch);
    this.commands = [];
    this.writer.reset();
  }

  private onReports({ reports, bytes, session }: ReportBatch): void {
    if (this.ended) return;
    this.reportsSeen++;
    this.snapshot = session;
    const deliveries: Delivery[] = [];
    for (const report of reports) {
      if (report.kind === "event") this.onEvent(report.event, deliveries);
      else this.onCompletion(report, bytes, deliveries);
    }
    this.deliver(deliveries);
  }

  private onEvent(event: NodeEvent | SessionEvent, deliveries: Delivery[]): void {
    if (event.kind === "session") {
      deliveries.push({ kind: "event", event, listeners: this.watches.all() });
      if (!isLastEvent(event)) return;
      this.ended = true;
      this.watches.clear();
      return;
    }
    const listeners = this.watches.take(event.kind, this.chroot.toServer(event.path));
    if (listeners.size > 0) deliveries.push({ kind: "event", event, listeners });
  }

  private onCompletion(report: Exclude<Report, { kind: "event" }>, bytes: Uint8Array, deliveries: Delivery[]): void {
    const call = this.calls.get(report.id);
    if (call === undefined) return;
    this.calls.delete(report.id);
    call.isOver = true;
    if (report.kind === "failure") call.failure = report.failure;
    else if (report.kind === "absent") call.result = null;
    else this.decodeInto(call, new ByteReader(bytes, report.start, report.end));
    const { watch, removesWatches } = call;
    if (watch !== undefined && call.failure === undefined) {
      this.watches.add(report.kind === "absent" ? "exist" : watch.kind, watch.path, watch.listener);
    }
    if (removesWatches !== undefined && call.failure === undefined) this.removed(removesWatches, deliveries);
    deliveries.push(call);
  }

  private decodeInto(call: Call, reader: ByteReader): void {
    try {
      call.result = call.decodeBody(reader);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const details = `the reply could not be read: ${error.message}`;
      call.failure = { code: "MARSHALLING_ERROR", outcome: call.changesTree ? "unknown" : "not-applied", details };
    }
  }

  private removed({ path, type }: { path: string; type: number }, deliveries: Delivery[]): void {
    const listeners = this.watches.remove(path, type);
    const told = this.chroot.toApplication(path);
    if (listeners.size > 0 && told !== undefined) {
      deliveries.push({ kind: "event", event: { kind: "removed", path: told }, listeners });
    }
  }

  /** The thread is gone, and the session's connection with it. After the last event that is as it should be. */
  private onGone(details: string): void {
    if (this.ended) return;
    const deliveries: Delivery[] = [];
    for (const call of this.calls.values()) {
      call.isOver = true;
      const outcome = outcomeWithoutAnswer({ changesTree: call.changesTree, xid: 1 });
      call.failure = { code: "CONNECTION_LOSS", outcome, details };
      deliveries.push(call);
    }
    this.calls.clear();
    this.snapshot = { ...this.snapshot, state: "closed", lastProblem: details };
    this.onEvent({ kind: "session", state: "closed" }, deliveries);
    this.deliver(deliveries);
  }
}

const REFUSALS: Partial<Record<string, ErrorName>> = { lost: "SESSION_EXPIRED", "auth-failed": "AUTH_FAILED" };
