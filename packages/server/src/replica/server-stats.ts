import type { Connection } from "./connection.js";

/** Counters behind `srvr`, `stat`, `cons` and `mntr`. Times are whole milliseconds, as in Apache. */
export class ServerStats {
  packetsReceived = 0;
  packetsSent = 0;
  latencyCount = 0;
  latencyTotalMs = 0;
  latencyMinMs = Number.MAX_SAFE_INTEGER;
  latencyMaxMs = 0;
  readonly startedMs: number;

  constructor(nowMs: number) {
    this.startedMs = nowMs;
  }

  onAnswered(
    connection: Connection,
    opcode: number,
    xid: number,
    zxid: number,
    receivedMs: number,
    nowMs: number,
  ): void {
    const latencyMs = Math.max(0, Math.floor(nowMs - receivedMs));
    this.packetsSent += 1;
    this.latencyCount += 1;
    this.latencyTotalMs += latencyMs;
    if (latencyMs < this.latencyMinMs) this.latencyMinMs = latencyMs;
    if (latencyMs > this.latencyMaxMs) this.latencyMaxMs = latencyMs;
    const { stats } = connection;
    stats.sent += 1;
    stats.lastOperation = opcode;
    stats.lastXid = xid;
    stats.lastZxid = zxid;
    stats.lastResponseMs = nowMs;
    stats.lastLatencyMs = latencyMs;
    stats.totalLatencyMs += latencyMs;
    if (latencyMs < stats.minLatencyMs) stats.minLatencyMs = latencyMs;
    if (latencyMs > stats.maxLatencyMs) stats.maxLatencyMs = latencyMs;
  }

  reset(): void {
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.latencyCount = 0;
    this.latencyTotalMs = 0;
    this.latencyMinMs = Number.MAX_SAFE_INTEGER;
    this.latencyMaxMs = 0;
  }
}
