import type { ByteReader, ByteWriter } from "@watchkeeper/wire";
import { ZkError } from "./errors.js";
import type { RequestKind } from "./requests.js";
import type { Call, Chroot, Failure, WatchRequest } from "./session/index.js";

export interface CallDetails {
  /** The application's path, for error messages. */
  readonly path?: string | undefined;
  readonly watch?: WatchRequest | undefined;
  readonly removesWatches?: Call["removesWatches"];
  /** What was expected of the node's version, for error messages. */
  readonly expected?: string | undefined;
}

const NO_DETAILS: CallDetails = {};

/** A request of the public API: its arguments until it is sent, then the promise that waits for it. */
export class ClientCall<A, R> implements Call {
  readonly kind = "call";
  readonly opcode: number;
  readonly changesTree: boolean;
  readonly absentIsResult: boolean;
  readonly watch: WatchRequest | undefined;
  readonly removesWatches: Call["removesWatches"];
  xid = 0;
  result: unknown;
  failure: Failure | undefined;
  private readonly request: RequestKind<A, R>;
  private readonly args: A;
  private readonly chroot: Chroot;
  private readonly details: CallDetails;
  private readonly resolve: (result: R) => void;
  private readonly reject: (error: unknown) => void;

  constructor(
    request: RequestKind<A, R>,
    args: A,
    chroot: Chroot,
    resolve: (result: R) => void,
    reject: (error: unknown) => void,
    details: CallDetails = NO_DETAILS,
  ) {
    this.opcode = request.opcode;
    this.changesTree = request.changesTree;
    this.absentIsResult = request.absentIsResult;
    this.watch = details.watch;
    this.removesWatches = details.removesWatches;
    this.request = request;
    this.args = args;
    this.chroot = chroot;
    this.resolve = resolve;
    this.reject = reject;
    this.details = details;
  }

  encodeBody(writer: ByteWriter): void {
    this.request.encode(writer, this.args);
  }

  decodeBody(reader: ByteReader): R {
    return this.request.decode(reader, this.chroot);
  }

  settle(): void {
    if (this.failure === undefined) this.resolve(this.result as R);
    else this.reject(this.error(this.failure));
  }

  private error(failure: Failure): ZkError {
    const { path, expected } = this.details;
    const details = failure.code === "BAD_VERSION" ? expected : failure.details;
    return new ZkError({ ...failure, details, operation: this.request.operation, path });
  }
}
