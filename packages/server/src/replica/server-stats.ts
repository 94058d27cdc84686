import {
  type Counter,
  elapsedMs,
  type Metrics,
  newMetrics,
  resetMetrics,
  SizeRange,
  type Summary,
} from "../metrics/index.js";
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
  // What every request touches is at hand: `metrics` is a table of many, and looking something up in it takes a while.
  readonly reads: Summary = this.metrics.readlatency;
  readonly updates: Summary = this.metrics.updatelatency;
  readonly bytesReceived: Counter = this.metrics.bytes_received_count;
  private readonly bytesSent: Counter = this.metrics.response_bytes;

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
    const latencyMs = elapsedMs(receivedMs, nowMs);
    this.packetsSent += 1;
    this.responseBytes.add(responseBytes);
    this.bytesSent.add(responseBytes);
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
    const { reads, updates } = this;
    const count = reads.count + updates.count;
    return {
      min: reads.count === 0 ? updates.min : updates.count === 0 ? reads.min : Math.min(reads.min, updates.min),
      average: count === 0 ? 0 : (reads.sum + updates.sum) / count,
      max: Math.max(reads.max, updates.max),
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
