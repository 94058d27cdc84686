import { type Metrics, newMetrics, resetMetrics, SizeRange, type Summary } from "../metrics/index.js";
import type { Connection } from "./connection.js";

/** Counters behind `srvr`, `stat`, `cons` and `mntr`. Times are whole milliseconds, as in Apache. */
export class ServerStats {
  packetsReceived = 0;
  packetsSent = 0;
  readonly metrics: Metrics = newMetrics();
  /** Replies to clients, without their lengths. */
  readonly responseBytes = new SizeRange();
  /** Txns that were proposed since this server leads. */
  readonly proposalBytes = new SizeRange();
  readonly startedMs: number;

  constructor(nowMs: number) {
    this.startedMs = nowMs;
  }

  /** @param latencies of requests of this kind */
  onAnswered(
    connection: Connection,
    opcode: number,
    xid: number,
    zxid: number,
    receivedMs: number,
    nowMs: number,
    responseBytes: number,
    latencies: Summary,
  ): void {
    const latencyMs = Math.max(0, Math.floor(nowMs - receivedMs));
    this.packetsSent += 1;
    this.responseBytes.add(responseBytes);
    this.metrics.response_bytes.add(responseBytes);
    latencies.add(latencyMs);
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

  /** Of all requests, reads and writes alike; 0 each before the first. */
  get latencyMs(): { readonly min: number; readonly average: number; readonly max: number } {
    const { readlatency: reads, updatelatency: writes } = this.metrics;
    const count = reads.count + writes.count;
    return {
      min: reads.count === 0 ? writes.min : writes.count === 0 ? reads.min : Math.min(reads.min, writes.min),
      average: count === 0 ? 0 : (reads.sum + writes.sum) / count,
      max: Math.max(reads.max, writes.max),
    };
  }

  reset(): void {
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.responseBytes.reset();
    this.proposalBytes.reset();
    resetMetrics(this.metrics);
  }
}
