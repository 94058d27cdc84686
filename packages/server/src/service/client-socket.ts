import type { Socket } from "node:net";
import { FrameSplitter, WireError } from "@watchkeeper/wire";
import type { AcceptedSocket } from "../host/client-listener.js";
import { type Connection, type ConnectionPort, type Replica, recycleOutput } from "../replica/index.js";

export interface ClientSocketLimits {
  readonly frameBytesMax: number;
  readonly outputBytesPause: number;
  readonly outputBytesMax: number;
}

/** What a socket does with first bytes that are a four-letter word; answers and closes itself. */
export type WordHandler = (word: Uint8Array, rest: () => Uint8Array | undefined, socket: Socket) => boolean;

/**
 * One client's socket. A chunk is cut into frames where it lies, all of them are handled, and the
 * replies leave in one write. Short ones wait for the end of the event loop's turn: what the other
 * sockets have sent is read first, then all are answered in a row, so that a program with many
 * connections finds several replies when it wakes. Of reads of one request each it saves about a tenth.
 *
 * A client that does not read is not read from either: while the kernel takes no more, output stays in
 * one buffer here, new requests wait in the client's own socket, and only watch events can still add
 * to it. When those alone pass the limit, the connection is closed.
 */
export class ClientSocket implements ConnectionPort {
  readonly connection: Connection;
  readonly socket: Socket;
  private readonly sharesBuffer: boolean;
  private readonly replica: Replica;
  private readonly limits: ClientSocketLimits;
  private readonly splitter: FrameSplitter;
  private readonly onWord: WordHandler;
  private readonly onGarbage: (reason: string) => void;
  /** What stood in the output when the kernel was found full: one long reply may be more than the limit. */
  private outputBytesWhenFull = -1;
  private ending = false;
  private linger: NodeJS.Timeout | undefined;

  constructor(
    accepted: AcceptedSocket,
    peer: { readonly address: string; readonly port: number },
    replica: Replica,
    limits: ClientSocketLimits,
    onWord: WordHandler,
    onGarbage: (reason: string) => void,
  ) {
    const { socket } = accepted;
    accepted.onBytes = (bytes) => this.onBytes(bytes);
    this.socket = socket;
    this.sharesBuffer = accepted.sharesBuffer;
    this.replica = replica;
    this.limits = limits;
    this.onWord = onWord;
    this.onGarbage = onGarbage;
    this.splitter = new FrameSplitter(limits.frameBytesMax);
    this.connection = replica.connect(peer.address, peer.port, this);
    socket.on("drain", () => this.onDrain());
    socket.on("error", () => {}); // a close follows, and says all there is to say
    socket.on("close", () => {
      clearTimeout(this.linger);
      this.replica.disconnect(this.connection);
    });
    socket.resume();
  }

  private onBytes(bytes: Uint8Array): void {
    if (this.ending) return;
    this.splitter.push(bytes);
    this.pump();
    if (this.sharesBuffer && this.splitter.hasUnhandled) this.splitter.keepUnhandled();
  }

  flush(): void {
    const { connection, socket } = this;
    if (connection.outputBytes === 0) return;
    if (socket.writableLength > 0) {
      this.onFull();
      return;
    }
    const output = connection.takeOutput()!;
    socket.write(Buffer.from(output.bytes.buffer, output.bytes.byteOffset, output.length));
    // Taken whole by the kernel, which is nearly always: the memory is free again at once.
    if (socket.writableLength === 0) recycleOutput(output);
  }

  /**
   * Ends the connection gently: what is under way leaves, and what the client still sends is read and
   * thrown away. Closing with unread input would make the kernel reset the connection, and the client
   * might lose the last answer, the one that says why.
   */
  close(): void {
    if (this.linger !== undefined) return;
    this.ending = true;
    this.linger = setTimeout(() => this.socket.destroy(), CLOSE_LINGER_MS).unref();
    this.socket.resume();
    if (this.connection.outputBytes === 0) this.socket.end();
  }

  finish(): void {
    if (this.ending) return;
    if (this.connection.outputBytes > 0 || this.socket.writableLength > 0) {
      this.close();
      return;
    }
    this.ending = true;
    this.socket.destroy();
  }

  resume(): void {
    setImmediate(() => this.pump());
  }

  private onDrain(): void {
    this.outputBytesWhenFull = -1;
    this.flush();
    if (this.ending && this.connection.outputBytes === 0) this.socket.end();
    else this.pump();
  }

  /** The kernel takes no more: stop reading, and give up on a client whose events pile up. */
  private onFull(): void {
    const { connection } = this;
    if (this.outputBytesWhenFull < 0) this.outputBytesWhenFull = connection.outputBytes;
    if (connection.outputBytes - this.outputBytesWhenFull <= this.limits.outputBytesMax) return;
    this.onGarbage(
      `it does not read: ${connection.outputBytes} bytes wait for it, ${this.limits.outputBytesMax} are allowed`,
    );
    this.socket.destroy();
  }

  /** Handles the frames that have come, as far as the replica and the output let it. */
  private pump(): void {
    const { connection, replica, splitter } = this;
    if (this.ending || connection.phase === "closed") return;
    replica.beginInput(connection);
    try {
      if (connection.phase === "handshake" && this.handleWord()) return;
      while (this.hasRoom() && replica.mayReceive(connection) && splitter.next()) {
        replica.receive(connection, splitter.bytes, splitter.start, splitter.end);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.onGarbage(error.message);
      this.socket.destroy();
      return;
    }
    if (connection.outputBytes >= SHORT_OUTPUT_BYTES) this.flush();
    replica.flushSoon();
    this.regulate();
  }

  private hasRoom(): boolean {
    if (this.connection.outputBytes < this.limits.outputBytesPause) return true;
    this.flush();
    return this.connection.outputBytes < this.limits.outputBytesPause;
  }

  /** Reads on only when everything read so far has been handled. */
  private regulate(): void {
    if (this.ending) return;
    const stuck = this.splitter.hasUnhandled || this.connection.outputBytes >= this.limits.outputBytesPause;
    if (stuck !== this.socket.isPaused()) {
      if (stuck) this.socket.pause();
      else this.socket.resume();
    }
  }

  private handleWord(): boolean {
    const word = this.splitter.peek(4);
    if (word === undefined) return false;
    if (!this.onWord(word, () => this.splitter.peek(12)?.subarray(4), this.socket)) return false;
    if (!this.socket.writableEnded) return true;
    this.ending = true;
    // Who never closes its own end would keep this one open for ever. Whoever does not even read the answer is silent,
    // and the replica closes it.
    this.socket.once("finish", () => this.close());
    return true;
  }
}

const CLOSE_LINGER_MS = 2000;
/**
 * Longer output leaves at once: the outputs of many connections could otherwise pile up within a turn.
 * Well below `outputBytesPause`, at which `regulate` counts on the kernel having been offered it: only
 * then will a drain follow.
 */
const SHORT_OUTPUT_BYTES = 8 << 10;

/** An IPv4 peer of a dual-stack listener is known by its IPv4 address. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
