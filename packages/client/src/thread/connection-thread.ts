import { parentPort, workerData } from "node:worker_threads";
import { type ByteReader, ByteWriter } from "@watchkeeper/wire";
import { digestMd5 } from "../sasl/digest-md5.js";
import { saslDriver } from "../sasl/sasl-driver.js";
import {
  type Call,
  type DeadlinePlace,
  type Delivery,
  type Failure,
  isLastEvent,
  type WatchKind,
} from "../session/index.js";
import { Connection } from "../transport/connection.js";
import { probeBy } from "../transport/probe.js";
import { dialTcp } from "../transport/tcp.js";
import { dialTls } from "../transport/tls.js";
import type { CallMessage, CommandBatch, Report, ReportBatch, ThreadData } from "./messages.js";

/**
 * The connection half in a thread of its own: what `ThreadConnection` in the application's thread talks
 * to. Bodies of requests and replies pass through as bytes. It knows which paths are watched, but not by
 * whom: every watch here has the same listener, and the other side's table, which is told of everything
 * in the same order, has the real ones.
 */
const data = workerData as ThreadData;
const port = parentPort!;
const aliveUntil = new Float64Array(data.aliveUntil);
const calls = new Map<number, ThreadCall>();
const somebody = (): void => undefined;
/**
 * Paths of one-shot watches in reports that the other side had not seen when it last spoke, by the number of
 * the report. What it asks to drop there is an older watch of the path: it will have this one too.
 */
const watchesUnderWay = new Map<string, number>();
let reportsSent = 0;

class ThreadCall implements Call {
  readonly kind = "call";
  readonly id: number;
  readonly opcode: number;
  readonly changesTree: boolean;
  readonly absentIsResult: boolean;
  readonly watch: Call["watch"];
  readonly addsWatch: Call["addsWatch"];
  readonly removesWatches: Call["removesWatches"];
  readonly timeoutMs: number;
  readonly whenSuspended: Call["whenSuspended"];
  readonly deadline: DeadlinePlace | undefined;
  xid = 0;
  result: unknown;
  failure: Failure | undefined;
  isOver = false;
  private readonly body: Uint8Array;

  constructor(message: CallMessage, body: Uint8Array) {
    this.id = message.id;
    this.opcode = message.opcode;
    this.changesTree = message.changesTree;
    this.absentIsResult = message.absentIsResult;
    this.watch = message.watch && { ...message.watch, listener: somebody };
    this.addsWatch = message.addsWatch && { ...message.addsWatch, listener: somebody };
    this.removesWatches = message.removesWatches;
    this.timeoutMs = message.timeoutMs;
    this.whenSuspended = message.whenSuspended;
    this.deadline = message.timeoutMs > 0 ? { slot: 0, earlier: undefined, later: undefined } : undefined;
    this.body = body;
  }

  encodeBody(writer: ByteWriter): void {
    writer.copy(this.body, 0, this.body.length);
  }

  /** The reply as it came, copied since its memory is only lent. */
  decodeBody(reader: ByteReader): Uint8Array {
    return reader.bytes.slice(reader.position, reader.end);
  }

  settle(): void {
    // Reported to the other thread, which settles its own call.
  }
}

const dial = data.tls === undefined ? dialTcp : dialTls(data.tls);
const connection = new Connection({
  session: { ...data.session, random: { below: (bound) => Math.floor(Math.random() * bound) } },
  dial,
  probe: probeBy(dial),
  sasl: data.digestMd5 === undefined ? undefined : saslDriver(digestMd5(data.digestMd5)),
  deliver: (deliveries) => report(deliveries),
  afterFlush: () => {
    aliveUntil[0] = performance.timeOrigin + connection.session.aliveUntilMs;
  },
});

port.on("message", ({ commands, bytes, reportsSeen }: CommandBatch) => {
  for (const [path, report] of watchesUnderWay) if (report <= reportsSeen) watchesUnderWay.delete(path);
  for (const command of commands) {
    switch (command.kind) {
      case "call":
        onCall(command, bytes);
        break;
      case "cancel": {
        const call = calls.get(command.id);
        if (call !== undefined) connection.cancel(call);
        break;
      }
      case "dropWatch":
        onDropWatch(command.watchKind, command.path);
        break;
      case "updateServers":
        connection.updateServers(command.servers);
        break;
      case "close":
        connection.close();
    }
  }
});

function onCall(message: CallMessage, bytes: Uint8Array): void {
  const call = new ThreadCall(message, bytes.subarray(message.start, message.end));
  calls.set(call.id, call);
  if (message.auth === undefined) connection.submit(call);
  else connection.addCredential(message.auth.scheme, message.auth.bytes, call);
}

function onDropWatch(kind: WatchKind, path: string): void {
  const isOneShot = kind !== "persistent" && kind !== "recursive";
  if (!isOneShot || !watchesUnderWay.has(path)) connection.dropWatch(kind, path, somebody);
}

function report(deliveries: readonly Delivery[]): void {
  const writer = new ByteWriter();
  const reports: Report[] = [];
  reportsSent++;
  let isLast = false;
  for (const delivery of deliveries) {
    if (delivery.kind === "call") {
      reports.push(reportCall(delivery as ThreadCall, writer));
    } else if (delivery.event.kind !== "removed") {
      // The other side tells of removals itself, when the call that asked for them is answered.
      reports.push({ kind: "event", event: delivery.event });
      isLast ||= delivery.event.kind === "session" && isLastEvent(delivery.event);
    }
  }
  const { state, identity, timeoutMs, server, lastProblem, lastZxidSeen, counters } = connection.session;
  const session = { state, identity, timeoutMs, server, lastProblem, lastZxidSeen, counters };
  aliveUntil[0] = performance.timeOrigin + connection.session.aliveUntilMs;
  port.postMessage({ reports, bytes: writer.view(), session } satisfies ReportBatch);
  if (isLast) port.close(); // nothing can follow, and the thread ends
}

function reportCall(call: ThreadCall, writer: ByteWriter): Report {
  const { id, failure, result, watch } = call;
  calls.delete(id);
  if (failure !== undefined) return { kind: "failure", id, failure };
  if (watch !== undefined) watchesUnderWay.set(watch.path, reportsSent);
  if (result === null) return { kind: "absent", id };
  const start = writer.length;
  const bytes = result as Uint8Array | undefined; // none for a credential
  if (bytes !== undefined) writer.copy(bytes, 0, bytes.length);
  return { kind: "answer", id, start, end: writer.length };
}
