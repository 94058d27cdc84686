import { ByteWriter } from "@watchkeeper/wire";
import type { Identity } from "../requests/index.js";
import type { Session } from "../sessions/index.js";

/** What a replica asks of whoever holds the socket. */
export interface ConnectionPort {
  /** There is output: send what `takeOutput` gives. */
  flush(): void;
  /** Close once everything flushed has been sent. */
  close(): void;
  /**
   * The same for a client that has closed its session: it sends nothing more, and nothing that it may be sent
   * yet matters to it, so that nothing has to be waited for.
   */
  finish(): void;
  /** Input may be handed in again: whole frames that were left unread first. */
  resume(): void;
}

/** A request that came behind a write of its own connection, kept until that is done. */
interface DeferredRequest {
  readonly afterWrite: number;
  readonly frame: Uint8Array;
  readonly receivedMs: number;
}

/** What `cons` and `stat` tell of a connection. */
export interface ConnectionStats {
  received: number;
  sent: number;
  lastOperation: number;
  lastXid: number;
  lastZxid: number;
  lastResponseMs: number;
  lastLatencyMs: number;
  minLatencyMs: number;
  maxLatencyMs: number;
  totalLatencyMs: number;
}

export type ConnectionPhase = "handshake" | "opening" | "open" | "closing" | "closed";

/**
 * One client connection as the replica sees it: session, identities, what is owed to it and in which
 * order. It holds no socket; bytes to send gather in `output` until the host takes them.
 */
export class Connection {
  /** Its number in the watch table. */
  readonly watcher: number;
  /** The peer's address as text, without the port: the id of scheme `ip`. */
  readonly address: string;
  readonly remotePort: number;
  readonly establishedWallMs: number;
  readonly port: ConnectionPort;
  phase: ConnectionPhase = "handshake";
  session: Session | undefined;
  timeoutMs = 0;
  /** Clients up to 3.3 sent no read-only flag and are answered without one. */
  sendsReadOnlyFlag = true;
  identities: Identity[];
  /** Its credentials are refused, which it will be told behind the replies that it is owed; nothing more is read from it. */
  isRefused = false;
  /** Requests that have not been answered: what the backlog counts. */
  outstanding = 0;
  heardMs: number;
  dirty = false;
  /**
   * Its server is between two roles (`HeldConnections`), and the history that is applied meanwhile is one that no quorum
   * may have: it can still be cut off, so that nothing is sent of it until there is a role.
   */
  isHeld = false;
  readonly stats: ConnectionStats = {
    received: 0,
    sent: 0,
    lastOperation: 0,
    lastXid: -1,
    lastZxid: 0,
    lastResponseMs: 0,
    lastLatencyMs: 0,
    minLatencyMs: Number.MAX_SAFE_INTEGER,
    maxLatencyMs: 0,
    totalLatencyMs: 0,
  };
  private output: ByteWriter | undefined;
  private writesSubmitted = 0;
  private writesDone = 0;
  private readonly deferred: DeferredRequest[] = [];

  constructor(
    watcher: number,
    address: string,
    remotePort: number,
    port: ConnectionPort,
    wallMs: number,
    nowMs: number,
  ) {
    this.watcher = watcher;
    this.address = address;
    this.remotePort = remotePort;
    this.port = port;
    this.establishedWallMs = wallMs;
    this.heardMs = nowMs;
    this.identities = [{ scheme: "ip", id: address }];
  }

  get isOpen(): boolean {
    return this.phase === "open";
  }

  /** Whether input may be handled now: not while the handshake's session is being made. */
  get accepts(): boolean {
    return this.phase === "handshake" || (this.phase === "open" && !this.isRefused);
  }

  // Output.

  /** Where replies and events are appended. */
  writer(): ByteWriter {
    this.output ??= takeOutputWriter();
    return this.output;
  }

  /** What may be sent now. */
  get outputBytes(): number {
    return this.isHeld ? 0 : (this.output?.length ?? 0);
  }

  /** What waits until its server has a role again. */
  get heldBytes(): number {
    return this.isHeld ? (this.output?.length ?? 0) : 0;
  }

  /** Everything to be sent now; give it back by `recycle` when it is sent. */
  takeOutput(): ByteWriter | undefined {
    if (this.isHeld) return undefined;
    const output = this.output;
    this.output = undefined;
    return output;
  }

  /** To be called before a connection that is held is closed: what it was not sent may never have happened. */
  dropHeldOutput(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    const output = this.takeOutput();
    if (output !== undefined) recycleOutput(output);
  }

  // Order: a connection's requests are answered in the order in which they came (W8).

  get hasWritesInFlight(): boolean {
    return this.writesSubmitted !== this.writesDone;
  }

  onWriteSubmitted(): void {
    this.writesSubmitted += 1;
  }

  onWriteDone(): void {
    this.writesDone += 1;
  }

  /** Keeps a request until the writes submitted so far are done. The frame is copied: its buffer will be read into again. */
  defer(bytes: Uint8Array, start: number, end: number, receivedMs: number): void {
    this.deferred.push({ afterWrite: this.writesSubmitted, frame: bytes.slice(start, end), receivedMs });
  }

  get deferredCount(): number {
    return this.deferred.length;
  }

  /** The next kept request whose turn it is. */
  nextDeferred(): DeferredRequest | undefined {
    const next = this.deferred[0];
    if (next === undefined || next.afterWrite > this.writesDone) return undefined;
    return this.deferred.shift();
  }

  /** Forgets the kept requests, whose answers nobody would read. @returns their bytes */
  dropDeferred(): number {
    let bytes = 0;
    for (const { frame } of this.deferred) bytes += frame.length;
    this.deferred.length = 0;
    return bytes;
  }
}

const OUTPUT_BYTES_FIRST = 2 << 10;
/** One that grew beyond this for a long reply is not kept. */
const OUTPUT_BYTES_KEPT = 64 << 10;
const POOL_BYTES_MAX = 16 << 20;

/** Writers between uses: a connection holds one only while it has something to send. */
const pool: ByteWriter[] = [];
let poolBytes = 0;

function takeOutputWriter(): ByteWriter {
  const writer = pool.pop();
  if (writer === undefined) return new ByteWriter(OUTPUT_BYTES_FIRST);
  poolBytes -= writer.bytes.length;
  return writer;
}

export function recycleOutput(writer: ByteWriter): void {
  const bytes = writer.bytes.length;
  if (bytes > OUTPUT_BYTES_KEPT || poolBytes + bytes > POOL_BYTES_MAX) return;
  writer.reset();
  pool.push(writer);
  poolBytes += bytes;
}
