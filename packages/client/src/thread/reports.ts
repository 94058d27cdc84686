import { ByteReader, ByteWriter, readLong, writeInt, writeLong } from "@watchkeeper/wire";
import type { ErrorName, Failure, NodeEvent, Outcome, SessionEvent, SessionState } from "../session/index.js";
import type { DistantCall } from "./distant-call.js";
import { handOver } from "./handed-over.js";

const KIND = { answer: 1, absent: 2, failure: 3, nodeEvent: 4, sessionEvent: 5 } as const;
const OUTCOMES: readonly Outcome[] = ["applied", "not-applied", "unknown"];
const NODE_EVENTS: readonly NodeEvent["kind"][] = ["created", "deleted", "dataChanged", "childrenChanged"];

/** Where the reports begin and end, and the zxid of the latest reply among them; before the reports, the replies. */
const REPORTS_AT = 0;
const END_AT = 4;
const ZXID_AT = 8;
const HEAD_BYTES = 16;

/** What the connection's thread tells the application's: in the order in which the application must hear of it. */
export class ReportBatch {
  /** Replies as they came, from when they came; the reports, which say where each lies, are added behind them. */
  readonly replies = new ByteWriter();

  constructor() {
    this.replies.reserve(HEAD_BYTES);
  }

  /** Once all replies of the batch are there. */
  begin(lastZxid: bigint): void {
    const { replies } = this;
    writeInt(replies.bytes, REPORTS_AT, replies.length);
    writeLong(replies.bytes, ZXID_AT, lastZxid);
  }

  call({ id, failure, result, replyStart, replyEnd }: DistantCall): void {
    const { replies } = this;
    if (failure !== undefined) {
      replies.byte(KIND.failure);
      replies.int(id);
      replies.ustring(failure.code);
      replies.byte(OUTCOMES.indexOf(failure.outcome));
      replies.ustring(failure.details ?? null);
    } else if (result === null) {
      replies.byte(KIND.absent);
      replies.int(id);
    } else {
      const at = replies.reserve(13);
      const { bytes } = replies;
      bytes[at] = KIND.answer;
      writeInt(bytes, at + 1, id);
      writeInt(bytes, at + 5, replyStart);
      writeInt(bytes, at + 9, replyEnd);
    }
  }

  event(event: NodeEvent | SessionEvent): void {
    const { replies } = this;
    if (event.kind === "session") {
      replies.byte(KIND.sessionEvent);
      replies.ustring(event.state);
      replies.bool(event.renewing === true);
    } else {
      replies.byte(KIND.nodeEvent);
      replies.byte(NODE_EVENTS.indexOf(event.kind));
      replies.ustring(event.path);
      replies.long(event.zxid ?? 0n); // no txn has this one
    }
  }

  /** The batch, to be handed over; another one begins. */
  take(): ArrayBuffer {
    const { replies } = this;
    writeInt(replies.bytes, END_AT, replies.length);
    const memory = handOver(replies);
    replies.reserve(HEAD_BYTES);
    return memory;
  }
}

/** Who is told what a batch reports. */
export interface ReportReceiver {
  onLastZxid(zxid: bigint): void;
  /** `reply` is the receiver's until it returns. */
  onAnswer(id: number, reply: ByteReader): void;
  /** The node of an `exists` is not there. */
  onAbsent(id: number): void;
  onFailure(id: number, failure: Failure): void;
  onEvent(event: NodeEvent | SessionEvent): void;
}

export function readReports(batch: ArrayBuffer, receiver: ReportReceiver): void {
  const bytes = new Uint8Array(batch);
  const reader = new ByteReader(bytes);
  const start = reader.int();
  reader.reset(bytes, start, reader.int());
  receiver.onLastZxid(readLong(bytes, ZXID_AT));
  const reply = new ByteReader(bytes);
  while (reader.remaining > 0) {
    switch (reader.byte()) {
      case KIND.answer: {
        const id = reader.int();
        reply.reset(bytes, reader.int(), reader.int());
        receiver.onAnswer(id, reply);
        break;
      }
      case KIND.absent:
        receiver.onAbsent(reader.int());
        break;
      case KIND.failure:
        receiver.onFailure(reader.int(), readFailure(reader));
        break;
      case KIND.nodeEvent:
        receiver.onEvent(readNodeEvent(reader));
        break;
      case KIND.sessionEvent: {
        const state = reader.ustring() as SessionState;
        receiver.onEvent(reader.bool() ? { kind: "session", state, renewing: true } : { kind: "session", state });
      }
    }
  }
}

function readFailure(reader: ByteReader): Failure {
  const code = reader.ustring() as ErrorName;
  return { code, outcome: OUTCOMES[reader.byte()]!, details: reader.ustring() ?? undefined };
}

function readNodeEvent(reader: ByteReader): NodeEvent {
  const kind = NODE_EVENTS[reader.byte()]!;
  const path = reader.ustring() ?? "";
  const zxid = reader.long();
  return { kind, path, zxid: zxid > 0n ? zxid : undefined };
}
