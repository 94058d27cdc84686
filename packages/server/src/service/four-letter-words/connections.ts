import { operationName } from "@watchkeeper/wire";
import { type Connection, sessionName } from "../../replica/index.js";

/** Apache's short names of operations, as `cons` shows the last one. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  ping: "PING",
  createSession: "SESS",
  create: "CREA",
  create2: "CREA",
  createContainer: "CREA",
  createTTL: "CREA",
  delete: "DELE",
  setData: "SETD",
  setACL: "SETA",
  getData: "GETD",
  getACL: "GETA",
  getChildren: "GETC",
  getChildren2: "GETC",
  getAllChildrenNumber: "GETACN",
  exists: "EXIS",
  multi: "MULT",
  multiRead: "MLTR",
  sync: "SYNC",
  check: "CHEC",
  closeSession: "CLOS",
  reconfig: "RECO",
  setWatches: "SETW",
  setWatches2: "STW2",
  addWatch: "ADDW",
  checkWatches: "CHKW",
  removeWatches: "REMW",
  whoAmI: "HOMI",
  getEphemerals: "GETE",
};

/** One line of `cons` (with details) or `stat`. */
export function describeConnection(connection: Connection, details: boolean): string {
  const { stats, session } = connection;
  const fields = [`queued=${connection.outstanding}`, `recved=${stats.received}`, `sent=${stats.sent}`];
  if (details && session !== undefined) {
    const name = stats.lastOperation === 0 ? undefined : operationName(stats.lastOperation);
    const answered = stats.minLatencyMs !== Number.MAX_SAFE_INTEGER;
    fields.push(
      `sid=${sessionName(session)}`,
      `lop=${(name === undefined ? undefined : SHORT_NAMES[name]) ?? "NA"}`,
      `est=${connection.establishedWallMs}`,
      `to=${connection.timeoutMs}`,
      ...(stats.lastXid >= 0 ? [`lcxid=0x${stats.lastXid.toString(16)}`] : []),
      `lzxid=0x${stats.lastZxid.toString(16)}`,
      `lresp=${Math.floor(stats.lastResponseMs)}`,
      `llat=${stats.lastLatencyMs}`,
      `minlat=${answered ? stats.minLatencyMs : 0}`,
      `avglat=${stats.sent === 0 ? 0 : Math.floor(stats.totalLatencyMs / stats.sent)}`,
      `maxlat=${stats.maxLatencyMs}`,
    );
  }
  return ` /${connection.address}:${connection.remotePort}[${connection.isOpen ? 1 : 0}](${fields.join(",")})\n`;
}
