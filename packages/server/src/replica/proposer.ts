import type { Clock } from "../ports/index.js";
import type { WritePreparer, WriteRequest } from "../requests/index.js";
import type { PipelineItem, TxnPipeline } from "./txn-pipeline.js";

/**
 * Where writes get their order: on a single server and on a leader. Each takes the next zxid, whatever
 * becomes of it, and goes into the pipeline as the txn that it makes of the tree as it will be by then
 * (Apache's `PrepRequestProcessor`).
 */
export class Proposer {
  private readonly preparer: WritePreparer;
  private readonly pipeline: TxnPipeline;
  private readonly clock: Clock;
  private readonly pathOf: (node: number) => Uint8Array;
  private proposedZxid: number;

  constructor(preparer: WritePreparer, pipeline: TxnPipeline, clock: Clock, pathOf: (node: number) => Uint8Array) {
    this.preparer = preparer;
    this.pipeline = pipeline;
    this.clock = clock;
    this.pathOf = pathOf;
    this.proposedZxid = pipeline.addedZxid;
  }

  /** The zxid given out last. */
  get lastZxid(): number {
    return this.proposedZxid;
  }

  /** Begins to propose after `zxid`. Everything in the pipeline must have been applied: the tree is what requests are checked against. */
  beginAfter(zxid: number): void {
    this.proposedZxid = zxid;
    this.preparer.restart();
  }

  write(request: WriteRequest, item: PipelineItem | undefined): void {
    const batch = this.pipeline.roomyBatch();
    this.preparer.prepare(request, batch, this.nextZxid(), this.clock.wallMs());
    this.pipeline.added(item);
  }

  /** A write that is refused before anything else of it is looked at. */
  refuse(request: WriteRequest, err: number, item: PipelineItem | undefined): void {
    const batch = this.pipeline.roomyBatch();
    this.preparer.prepareError(request, err, batch, this.nextZxid(), this.clock.wallMs());
    this.pipeline.added(item);
  }

  createSession(request: WriteRequest, timeoutMs: number, item: PipelineItem | undefined): void {
    const batch = this.pipeline.roomyBatch();
    this.preparer.prepareCreateSession(request, timeoutMs, batch, this.nextZxid(), this.clock.wallMs());
    this.pipeline.added(item);
  }

  closeSession(request: WriteRequest, item: PipelineItem | undefined): void {
    const batch = this.pipeline.roomyBatch();
    this.preparer.prepareCloseSession(request, batch, this.nextZxid(), this.clock.wallMs(), this.pathOf);
    this.pipeline.added(item);
  }

  deleteContainer(request: WriteRequest, path: Uint8Array, item: PipelineItem | undefined): void {
    const batch = this.pipeline.roomyBatch();
    this.preparer.prepareDeleteContainer(request, path, batch, this.nextZxid(), this.clock.wallMs());
    this.pipeline.added(item);
  }

  private nextZxid(): number {
    this.proposedZxid += 1;
    return this.proposedZxid;
  }
}
