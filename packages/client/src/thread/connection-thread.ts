import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { digestMd5 } from "../sasl/digest-md5.js";
import { saslDriver } from "../sasl/sasl-driver.js";
import { type Delivery, isLastEvent } from "../session/index.js";
import { Connection } from "../transport/connection.js";
import { probeBy } from "../transport/probe.js";
import { dialTcp } from "../transport/tcp.js";
import { dialTls } from "../transport/tls.js";
import { type CommandReceiver, readCommands } from "./commands.js";
import { type DistantCall, somebody } from "./distant-call.js";
import type { ReportMessage, SessionSnapshot, ThreadData } from "./messages.js";
import { ReportBatch } from "./reports.js";
import { SharedFigures } from "./shared-figures.js";

/**
 * The connection half in a thread of its own: what `ThreadConnection` in the application's thread talks
 * to. Bodies of requests and replies pass through as bytes. It knows which paths are watched, but not by
 * whom: every watch here has the same listener, and the other side's table, which is told of everything
 * in the same order, has the real ones.
 */
const data = workerData as ThreadData;
const port = parentPort!;
/** An application that asks without end must not keep this thread from its socket. */
const TURNS_AT_ONCE_MAX = 64;
const figures = new SharedFigures(data.figures);
const batch = new ReportBatch();
const calls = new Map<number, DistantCall>();
/**
 * Paths of one-shot watches in reports that the other side had not seen when it last spoke, by the number of
 * the report. What it asks to drop there is an older watch of the path: it will have this one too.
 */
const watchesUnderWay = new Map<string, number>();
let reportsSent = 0;
let snapshotSent: SessionSnapshot | undefined;

const dial = data.tls === undefined ? dialTcp : dialTls(data.tls);
const connection = new Connection({
  // Events go over with the server's paths: the other side knows them by those.
  session: { ...data.session, chroot: "", random: { below: (bound) => Math.floor(Math.random() * bound) } },
  dial,
  probe: probeBy(dial),
  sasl: data.digestMd5 === undefined ? undefined : saslDriver(digestMd5(data.digestMd5)),
  deliver: (deliveries) => report(deliveries),
  afterFlush: () => showFigures(),
});

const receiver: CommandReceiver = {
  onReportsSeen(count) {
    for (const [path, report] of watchesUnderWay) if (report <= count) watchesUnderWay.delete(path);
  },
  onCall(call) {
    calls.set(call.id, call);
    connection.submit(call);
  },
  onCredential(scheme, call) {
    calls.set(call.id, call);
    connection.addCredential(scheme, call.credential, call);
  },
  onCancel(id) {
    const call = calls.get(id);
    if (call !== undefined) connection.cancel(call);
  },
  onDropWatch(kind, path) {
    const isOneShot = kind !== "persistent" && kind !== "recursive";
    if (!isOneShot || !watchesUnderWay.has(path)) connection.dropWatch(kind, path, somebody);
  },
  onUpdateServers(servers) {
    connection.updateServers(servers);
  },
  onClose() {
    connection.close();
  },
};

/** What has come meanwhile is carried out in the same turn, and leaves in the same write. */
port.on("message", (commands: ArrayBuffer) => {
  readCommands(commands, batch.replies, receiver);
  for (let turn = 1; turn < TURNS_AT_ONCE_MAX; turn++) {
    const next = receiveMessageOnPort(port);
    if (next === undefined) return;
    readCommands(next.message as ArrayBuffer, batch.replies, receiver);
  }
});

function report(deliveries: readonly Delivery[]): void {
  reportsSent++;
  batch.begin(connection.session.lastZxidSeen);
  let isLast = false;
  for (const delivery of deliveries) {
    if (delivery.kind === "call") {
      reportCall(delivery as DistantCall);
    } else if (delivery.event.kind !== "removed") {
      // The other side tells of removals itself, when the call that asked for them is answered.
      batch.event(delivery.event);
      isLast ||= delivery.event.kind === "session" && isLastEvent(delivery.event);
    }
  }
  showFigures(); // before the other side hears of what they count
  const memory = batch.take();
  const session = changedSession();
  const message: ReportMessage = session === undefined ? memory : { batch: memory, session };
  port.postMessage(message, [memory]);
  if (isLast) port.close(); // nothing can follow, and the thread ends
}

function reportCall(call: DistantCall): void {
  calls.delete(call.id);
  const { failure, watch } = call;
  if (failure === undefined && watch !== undefined) watchesUnderWay.set(watch.path, reportsSent);
  batch.call(call);
}

function showFigures(): void {
  figures.aliveUntilMs = connection.session.aliveUntilMs;
  figures.counters = connection.session.counters;
}

/** How the session stands, where that is not what the other side was told last. */
function changedSession(): SessionSnapshot | undefined {
  const { state, identity, timeoutMs, server, lastProblem } = connection.session;
  const sent = snapshotSent;
  const isSame = sent?.state === state && sent.identity === identity && sent.timeoutMs === timeoutMs;
  if (isSame && sent.server === server && sent.lastProblem === lastProblem) return undefined;
  snapshotSent = { state, identity, timeoutMs, server, lastProblem };
  return snapshotSent;
}
