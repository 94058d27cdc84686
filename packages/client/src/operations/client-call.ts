import type { ByteReader, ByteWriter } from "@watchkeeper/wire";
import { ZkError } from "../errors.js";
import type {
  Call,
  Chroot,
  DeadlinePlace,
  Failure,
  PersistentWatchRequest,
  WatchRequest,
  WhenSuspended,
} from "../session/index.js";
import type { RequestKind } from "./requests.js";

export interface CallDetails {
  /** The application's path, for error messages. */
  readonly path?: string | undefined;
  readonly watch?: WatchRequest | undefined;
  readonly addsWatch?: PersistentWatchRequest | undefined;
  readonly removesWatches?: Call["removesWatches"];
  /** What was expected of the node's version, for error messages. */
  readonly expected?: string | undefined;
}

export const NO_DETAILS: CallDetails = {};

/** How long a call may take and what it does without a connection. */
export interface CallLimits {
  readonly timeoutMs: number;
  readonly whenSuspended: WhenSuspended;
}

export const NO_LIMITS: CallLimits = { timeoutMs: 0, whenSuspended: "try-all" };

/** A request of the public API: its arguments until it is sent, then the promise that waits for it. */
export class ClientCall<A, R> implements Call {
  readonly kind = "call";
  readonly deadline: DeadlinePlace | undefined;
  xid = 0;
  result: unknown;
  failure: Failure | undefined;
  isOver = false;
  /** Why its caller gave it up, for the error's `cause`. */
  abortReason: unknown;
  private readonly request: RequestKind<A, R>;
  private readonly args: A;
  private readonly chroot: Chroot;
  private readonly details: CallDetails;
  private readonly limits: CallLimits;
  private readonly resolve: (result: R) => void;
  private readonly reject: (error: ZkError) => void;

  constructor(
    request: RequestKind<A, R>,
    args: A,
    chroot: Chroot,
    resolve: (result: R) => void,
    reject: (error: ZkError) => void,
    details: CallDetails = NO_DETAILS,
    limits: CallLimits = NO_LIMITS,
  ) {
    this.deadline = limits.timeoutMs > 0 ? { slot: 0, earlier: undefined, later: undefined } : undefined;
    this.request = request;
    this.args = args;
    this.chroot = chroot;
    this.details = details;
    this.limits = limits;
    this.resolve = resolve;
    this.reject = reject;
  }

  get opcode(): number {
    return this.request.opcode;
  }

  get changesTree(): boolean {
    return this.request.changesTree;
  }

  get absentIsResult(): boolean {
    return this.request.absentIsResult;
  }

  get watch(): Call["watch"] {
    return this.details.watch;
  }

  get addsWatch(): Call["addsWatch"] {
    return this.details.addsWatch;
  }

  get removesWatches(): Call["removesWatches"] {
    return this.details.removesWatches;
  }

  get timeoutMs(): number {
    return this.limits.timeoutMs;
  }

  get whenSuspended(): WhenSuspended {
    return this.limits.whenSuspended;
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
    const { operation } = this.request;
    return new ZkError({ ...failure, details, operation, path, cause: this.abortReason });
  }
}
