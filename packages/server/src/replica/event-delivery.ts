import { ByteWriter, EVENT_STATE_SYNC_CONNECTED, PERMISSIONS } from "@watchkeeper/wire";
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
  private aclNumber = 0;

  constructor(watches: WatchTable, access: AccessControl, onOutput: (connection: Connection) => void) {
    this.watches = watches;
    this.access = access;
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
  }

  onDataChanged(path: Uint8Array, start: number, end: number, aclNumber: number): void {
    this.watches.onDataChanged(this, path, start, end, aclNumber);
  }

  onEvent(type: number, path: Uint8Array, start: number, end: number, aclNumber: number): void {
    this.aclNumber = aclNumber;
    this.encoded.reset();
    writeEvent(this.encoded, this.zxid, type, EVENT_STATE_SYNC_CONNECTED, path, start, end);
  }

  onWatcher(watcher: number): void {
    const connection = this.connections[watcher]!;
    if (!this.access.allows(this.aclNumber, PERMISSIONS.read, connection.identities)) return;
    connection.writer().copy(this.encoded.bytes, 0, this.encoded.length);
    connection.stats.sent += 1;
    this.delivered += 1;
    this.onOutput(connection);
  }
}
