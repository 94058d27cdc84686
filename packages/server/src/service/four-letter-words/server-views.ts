import { ByteWriter, decodeText } from "@watchkeeper/wire";
import { decimalText } from "../../metrics/index.js";
import { hex64, sessionName } from "../../replica/index.js";
import type { Session } from "../../sessions/index.js";
import { WATCH_BIT } from "../../watches/index.js";
import { SERVER_VERSION } from "../version.js";
import { describeConnection } from "./connections.js";
import { modeOf } from "./ensemble-view.js";
import type { WordContext } from "./word-context.js";

/** `srvr`, and with the clients `stat`. */
export function serverStats(context: WordContext, withClients: boolean): string {
  const { replica } = context;
  const { stats } = replica;
  const view = context.ensemble?.();
  const { min, average, max } = stats.latencyMs;
  const lines = [
    `Latency min/avg/max: ${min}/${decimalText(average)}/${max}`,
    `Received: ${stats.packetsReceived}`,
    `Sent: ${stats.packetsSent}`,
    `Connections: ${replica.connections.size}`,
    `Outstanding: ${replica.outstandingRequests}`,
    // A leader has the beginning of its epoch before the epoch has a txn; learners show the last txn there is.
    `Zxid: 0x${Math.max(replica.lastZxid, view?.leader?.historyZxid ?? 0).toString(16)}`,
    `Mode: ${modeOf(view)}`,
    `Node count: ${replica.tree.count + 1}`, // the root has two names in Apache's map and counts twice
  ];
  if (view?.leader !== undefined) {
    const { proposalBytes } = stats;
    lines.push(`Proposal sizes last/min/max: ${proposalBytes.last}/${proposalBytes.min}/${proposalBytes.max}`);
  }
  const clients = withClients
    ? `Clients:\n${[...replica.connections].map((one) => describeConnection(one, false)).join("")}\n`
    : "";
  const readOnly = view?.serves === "read-only" ? "READ-ONLY mode; serving only read-only clients\n" : "";
  return `Zookeeper version: ${SERVER_VERSION}\n${readOnly}${clients}${lines.map((line) => `${line}\n`).join("")}`;
}

export function digests(context: WordContext): string {
  return context.replica.digests
    .map(({ zxid, high, low }) => `${zxid.toString(16)}: ${(BigInt(high) << 32n) | BigInt(low)}\n`)
    .join("");
}

export function dumpSessions(context: WordContext): string {
  const { replica } = context;
  const view = context.ensemble?.();
  const tracked = view === undefined || view.leader !== undefined ? expiringSessions(context) : knownSessions(context);
  const lines = ["SessionTracker dump:", ...tracked];
  lines.push("ephemeral nodes dump:", `Sessions with Ephemerals (${replica.tree.ephemerals.size}):`);
  for (const [key, nodes] of replica.tree.ephemerals) {
    lines.push(`0x${BigInt.asUintN(64, key).toString(16)}:`);
    for (const node of nodes) lines.push(`\t${pathText(context, node)}`);
  }
  lines.push("Connections dump:", `Connections Sets (1)/(${replica.connections.size}):`);
  lines.push(`${replica.connections.size} open now:`);
  for (const connection of replica.connections) {
    const id = connection.session === undefined ? "0x0" : sessionName(connection.session);
    lines.push(`\tip: /${connection.address}:${connection.remotePort} sessionId: ${id}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Where sessions expire: on a single server and on a leader. */
function expiringSessions({ replica }: WordContext): string[] {
  const buckets = replica.sessions.bucketsInOrder();
  const lines = [`Session Sets (${buckets.length})/(${replica.sessions.count}):`];
  for (const [expiresMs, sessions] of buckets) {
    lines.push(`${sessions.size} expire at ${javaDate(Date.now() + expiresMs - performance.now())}:`);
    for (const session of sessions) lines.push(`\t${sessionName(session)}`);
  }
  return lines;
}

/** A learner knows every session and leaves its expiry to the leader. */
function knownSessions({ replica }: WordContext): string[] {
  const sessions = [...replica.sessions.all()].sort((one, other) => (one.key < other.key ? -1 : 1));
  const lines = sessions.map((session) => `${sessionName(session)}\t${session.timeoutMs}ms`);
  return [`Global Sessions(${sessions.length}):`, ...lines];
}

/** As Java prints a date, in UTC. */
function javaDate(ms: number): string {
  const parts = new Date(ms).toUTCString().split(/[ ,]+/); // Sun, 22 Nov 2026 10:25:39 GMT
  return `${parts[0]} ${parts[2]} ${parts[1]} ${parts[4]} UTC ${parts[3]}`;
}

function pathText(context: WordContext, node: number): string {
  const writer = new ByteWriter();
  context.replica.tree.writePath(node, writer);
  return decodeText(writer.bytes, 0, writer.length) || "/";
}

/** What Apache counts as its data watches: everything but plain child watches. */
const DATA_TABLE_BITS = WATCH_BIT.data | WATCH_BIT.persistent | WATCH_BIT.recursive;

export function watchSummary(context: WordContext): string {
  const watchers = new Set<number>();
  const paths = new Set<string>();
  let total = 0;
  context.replica.watches.forEach(DATA_TABLE_BITS, (watcher, path, start, end) => {
    watchers.add(watcher);
    paths.add(decodeText(path, start, end));
    total += 1;
  });
  return `${watchers.size} connections watching ${paths.size} paths\nTotal watches:${total}\n`;
}

export function dumpWatches(context: WordContext, order: "by-connection" | "by-path"): string {
  const groups = new Map<string, string[]>();
  context.replica.watches.forEach(DATA_TABLE_BITS, (watcher, bytes, start, end) => {
    const path = decodeText(bytes, start, end);
    const session: Session | undefined = context.replica.connectionOfWatcher(watcher)?.session;
    const name = session === undefined ? "0x0" : hex64(session.idHigh, session.idLow);
    const [key, member] = order === "by-connection" ? [name, path] : [path, name];
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [member]);
    else members.push(member);
  });
  return `${[...groups].map(([key, members]) => `${key}\n${members.map((one) => `\t${one}\n`).join("")}`).join("")}\n`;
}
