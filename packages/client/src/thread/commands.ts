import { ByteReader, ByteWriter, writeInt } from "@watchkeeper/wire";
import { type Call, type ServerAddress, WATCH_KINDS, type WatchKind } from "../session/index.js";
import { DistantCall, writeCall } from "./distant-call.js";
import { handOver } from "./handed-over.js";

const KIND = { call: 1, credential: 2, cancel: 3, dropWatch: 4, updateServers: 5, close: 6 } as const;

/** Where the commands end, how many batches of reports had come; the commands follow. */
const END_AT = 0;
const REPORTS_SEEN_AT = 4;
const HEAD_BYTES = 8;

/** What the application's thread asks of the connection's in one turn, in that order. */
export class CommandBatch {
  private readonly writer = new ByteWriter();
  /** Where the last whole command ends: one whose body could not be written leaves nothing behind. */
  private end = HEAD_BYTES;

  call(call: Call): void {
    writeCall(this.begin(KIND.call), call, undefined);
    this.done();
  }

  credential(scheme: string, auth: Uint8Array, call: Call): void {
    const writer = this.begin(KIND.credential);
    writer.ustring(scheme);
    writeCall(writer, call, auth);
    this.done();
  }

  cancel(id: number): void {
    this.begin(KIND.cancel).int(id);
    this.done();
  }

  dropWatch(kind: WatchKind, path: string): void {
    const writer = this.begin(KIND.dropWatch);
    writer.int(WATCH_KINDS.indexOf(kind));
    writer.ustring(path);
    this.done();
  }

  updateServers(servers: readonly ServerAddress[]): void {
    const writer = this.begin(KIND.updateServers);
    writer.int(servers.length);
    for (const { host, port } of servers) {
      writer.ustring(host);
      writer.int(port);
    }
    this.done();
  }

  close(): void {
    this.begin(KIND.close);
    this.done();
  }

  /** The batch, to be handed over; another one begins. */
  take(reportsSeen: number): ArrayBuffer {
    const { writer } = this;
    writer.length = this.end;
    writeInt(writer.bytes, END_AT, this.end);
    writeInt(writer.bytes, REPORTS_SEEN_AT, reportsSeen);
    this.end = HEAD_BYTES;
    return handOver(writer);
  }

  private begin(kind: number): ByteWriter {
    const { writer } = this;
    writer.length = this.end;
    writer.byte(kind);
    return writer;
  }

  private done(): void {
    this.end = this.writer.length;
  }
}

/** Who carries out what a batch asks for. */
export interface CommandReceiver {
  /** How many batches of reports the other side had seen when it asked for what follows. */
  onReportsSeen(count: number): void;
  onCall(call: DistantCall): void;
  onCredential(scheme: string, call: DistantCall): void;
  onCancel(id: number): void;
  onDropWatch(kind: WatchKind, path: string): void;
  onUpdateServers(servers: readonly ServerAddress[]): void;
  onClose(): void;
}

/** Reads a batch; what its calls are answered with goes into `replies`. */
export function readCommands(batch: ArrayBuffer, replies: ByteWriter, receiver: CommandReceiver): void {
  const reader = new ByteReader(new Uint8Array(batch));
  reader.end = reader.int();
  receiver.onReportsSeen(reader.int());
  while (reader.remaining > 0) {
    switch (reader.byte()) {
      case KIND.call:
        receiver.onCall(new DistantCall(reader, replies));
        break;
      case KIND.credential: {
        const scheme = reader.ustring() ?? "";
        receiver.onCredential(scheme, new DistantCall(reader, replies));
        break;
      }
      case KIND.cancel:
        receiver.onCancel(reader.int());
        break;
      case KIND.dropWatch: {
        const kind = WATCH_KINDS[reader.int()]!;
        receiver.onDropWatch(kind, reader.ustring() ?? "");
        break;
      }
      case KIND.updateServers: {
        const servers = Array.from({ length: reader.int() }, () => ({
          host: reader.ustring() ?? "",
          port: reader.int(),
        }));
        receiver.onUpdateServers(servers);
        break;
      }
      case KIND.close:
        receiver.onClose();
    }
  }
}
