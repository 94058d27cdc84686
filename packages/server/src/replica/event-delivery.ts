import { ByteWriter, EVENT_STATE_SYNC_CONNECTED, EVENT_TYPE, PERMISSIONS } from "@watchkeeper/wire";
import type { Counter, Metrics, Summary } from "../metrics/index.js";
import type { AccessControl } from "../requests/index.js";
import type { ChangeListener } from "../tree/index.js";
import type { EventSink, WatchTable } from "../watches/index.js";
import type { Connection } from "./connection.js";
import { writeEvent } from "./replies.js";

/**
 * From an applied change to the connections that watch it. An event is encoded once and copied to
 * each; it stands in a connection's output before the reply to anything that could see the change
 * (M7), because both are appended while the txn is applied.
 *
 * Whoever may not read the node does not hear of it (CVE-2024-23944).
 */
export class EventDelivery implements ChangeListener, EventSink {
  /** By the number of the watcher. */
  readonly connections: (Connection | undefined)[] = [];
  /** The txn being applied: what events carry. */
  zxid = 0;
  delivered = 0;
  private readonly watches: WatchTable;
  private readonly access: AccessControl;
  private readonly onOutput: (connection: Connection) => void;
  private readonly encoded = new ByteWriter(512);
  private readonly metrics: Metrics;
  private readonly bytes: Counter;
  private aclNumber = 0;
  /** The event that is being delivered, 0 for none, and to how many it was. */
  private type = 0;
  private told = 0;

  constructor(
    watches: WatchTable,
    access: AccessControl,
    metrics: Metrics,
    onOutput: (connection: Connection) => void,
  ) {
    this.watches = watches;
    this.access = access;
    this.metrics = metrics;
    this.bytes = metrics.watch_bytes;
    this.onOutput = onOutput;
  }

  onCreated(
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    parentEnd: number,
    parentAcl: number,
  ): void {
    this.watches.onCreated(this, path, start, end, aclNumber, parentEnd, parentAcl);
    if (this.type !== 0) this.endEvent();
  }

  onDeleted(
    path: Uint8Array,
    start: number,
    end: number,
    aclNumber: number,
    parentEnd: number,
    parentAcl: number,
  ): void {
    this.watches.onDeleted(this, path, start, end, aclNumber, parentEnd, parentAcl);
    if (this.type !== 0) this.endEvent();
  }

  onDataChanged(path: Uint8Array, start: number, end: number, aclNumber: number): void {
    this.watches.onDataChanged(this, path, start, end, aclNumber);
    if (this.type !== 0) this.endEvent();
  }

  onEvent(type: number, path: Uint8Array, start: number, end: number, aclNumber: number): void {
    if (this.type !== 0) this.endEvent();
    this.type = type;
    this.aclNumber = aclNumber;
    this.encoded.reset();
    writeEvent(this.encoded, this.zxid, type, EVENT_STATE_SYNC_CONNECTED, path, start, end);
  }

  onWatcher(watcher: number): void {
    const connection = this.connections[watcher]!;
    if (!connection.isOpen) return; // it is being closed, and may have been sent less than this
    if (!this.access.allows(this.aclNumber, PERMISSIONS.read, connection.identities)) return;
    connection.writer().copy(this.encoded.bytes, 0, this.encoded.length);
    this.bytes.add(this.encoded.length - FRAME_LENGTH_BYTES);
    this.told += 1;
    connection.stats.sent += 1;
    this.delivered += 1;
    this.onOutput(connection);
  }

  private endEvent(): void {
    if (this.told > 0) this.setOff(this.type).add(this.told);
    this.type = 0;
    this.told = 0;
  }

  private setOff(type: number): Summary {
    const { metrics } = this;
    switch (type) {
      case EVENT_TYPE.nodeCreated:
        return metrics.node_created_watch_count;
      case EVENT_TYPE.nodeDeleted:
        return metrics.node_deleted_watch_count;
      case EVENT_TYPE.nodeDataChanged:
        return metrics.node_changed_watch_count;
      default:
        return metrics.node_children_watch_count;
    }
  }
}

const FRAME_LENGTH_BYTES = 4;
