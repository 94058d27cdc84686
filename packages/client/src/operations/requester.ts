import { type CallTracer, isObserved, observeCall } from "../diagnostics/call-observer.js";
import { badArguments, ZkError } from "../errors.js";
import { pauseMs, type RetryPolicy } from "../retry/retry-policy.js";
import type { Call, WhenSuspended } from "../session/index.js";
import type { ConnectionHalf } from "../transport/connection-half.js";
import { type CallOptions, NO_OPTIONS, optionsProblem } from "./call-options.js";
import { type CallDetails, type CallLimits, ClientCall, NO_DETAILS } from "./client-call.js";
import type { RequestKind } from "./requests.js";
import { whenAborted } from "./when-aborted.js";

export interface RequestDefaults {
  /** 0 for none. */
  readonly timeoutMs: number;
  readonly whenSuspended: WhenSuspended;
  readonly retry: RetryPolicy | undefined;
  readonly tracer: CallTracer | undefined;
}

/** Runs a request once: now, or whenever its turn has come. */
type Submit<R> = (timeoutMs: number) => Promise<R>;

/**
 * The way of every call into the connection half: its deadline, its signal, whether it is tried again,
 * who looks on. Most calls have none of it, and pay for none of it.
 */
export class Requester {
  readonly half: ConnectionHalf;
  private readonly defaults: RequestDefaults;
  /** The limits of a call that says nothing of its own. */
  private readonly usualLimits: CallLimits;

  constructor(half: ConnectionHalf, defaults: RequestDefaults) {
    this.half = half;
    this.defaults = defaults;
    this.usualLimits = { timeoutMs: defaults.timeoutMs, whenSuspended: defaults.whenSuspended };
  }

  request<A, R>(kind: RequestKind<A, R>, args: A, options: CallOptions, details: CallDetails = NO_DETAILS): Promise<R> {
    if (options === NO_OPTIONS && this.defaults.retry === undefined && !isObserved(this.defaults.tracer)) {
      return this.submitOnce(kind, args, details, this.usualLimits);
    }
    return this.run(kind.operation, details.path, options, (timeoutMs) =>
      this.submit(kind, args, details, options, timeoutMs, (call) => this.half.submit(call)),
    );
  }

  /** Authenticates by a credential, which stays with the connection half. */
  credential(kind: RequestKind<undefined, void>, scheme: string, auth: Uint8Array, options: CallOptions) {
    const { half } = this;
    return this.run(kind.operation, scheme, options, (timeoutMs) =>
      this.submit(kind, undefined, { path: scheme }, options, timeoutMs, (call) =>
        half.addCredential(scheme, auth, call),
      ),
    );
  }

  private run<R>(operation: string, path: string | undefined, options: CallOptions, submit: Submit<R>): Promise<R> {
    const problem = optionsProblem(options);
    if (problem !== undefined) return Promise.reject(badArguments(operation, path, problem));
    if (options.signal?.aborted) return Promise.reject(aborted(operation, path, options.signal));
    const timeoutMs = options.timeoutMs ?? this.defaults.timeoutMs;
    const retry = options.retry ?? this.defaults.retry;
    const { tracer } = this.defaults;
    const run = (): Promise<R> =>
      retry === undefined || retry.attemptsMax <= 1
        ? submit(timeoutMs)
        : this.repeat(operation, path, options, retry, timeoutMs, submit);
    if (!isObserved(tracer)) return run();
    const ended = observeCall(tracer, operation, path, this.half.session.identity.id);
    return run().then(
      (result) => {
        ended(undefined);
        return result;
      },
      (error: ZkError) => {
        ended(error);
        throw error;
      },
    );
  }

  private async repeat<R>(
    operation: string,
    path: string | undefined,
    { signal }: CallOptions,
    policy: RetryPolicy,
    timeoutMs: number,
    submit: Submit<R>,
  ): Promise<R> {
    const deadlineMs = timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY;
    for (let attempt = 1; ; attempt++) {
      const leftMs = deadlineMs - performance.now();
      try {
        return await submit(leftMs === Number.POSITIVE_INFINITY ? 0 : Math.max(leftMs, 1));
      } catch (error) {
        if (!(error instanceof ZkError)) throw error;
        const delayMs = pauseMs(policy, error, attempt);
        if (delayMs === undefined || performance.now() + delayMs >= deadlineMs) throw error;
        await pause(delayMs, signal);
        if (signal?.aborted) throw aborted(operation, path, signal);
      }
    }
  }

  private submit<A, R>(
    kind: RequestKind<A, R>,
    args: A,
    details: CallDetails,
    options: CallOptions,
    timeoutMs: number,
    hand: (call: Call) => void,
  ): Promise<R> {
    const { half } = this;
    const { signal } = options;
    const limits = this.limits(options, timeoutMs);
    return new Promise((resolve, reject) => {
      if (signal === undefined) {
        hand(new ClientCall(kind, args, half.chroot, resolve, reject, details, limits));
        return;
      }
      const settled = (result: R): void => {
        unheed();
        resolve(result);
      };
      const failed = (error: ZkError): void => {
        unheed();
        reject(error);
      };
      const call = new ClientCall(kind, args, half.chroot, settled, failed, details, limits);
      const unheed = whenAborted(signal, () => {
        call.abortReason = signal.reason;
        half.cancel(call);
      });
      hand(call);
    });
  }

  private submitOnce<A, R>(kind: RequestKind<A, R>, args: A, details: CallDetails, limits: CallLimits): Promise<R> {
    const { half } = this;
    return new Promise((resolve, reject) => {
      half.submit(new ClientCall(kind, args, half.chroot, resolve, reject, details, limits));
    });
  }

  private limits({ whenSuspended }: CallOptions, timeoutMs: number): CallLimits {
    if (whenSuspended === undefined && timeoutMs === this.usualLimits.timeoutMs) return this.usualLimits;
    return { timeoutMs, whenSuspended: whenSuspended ?? this.usualLimits.whenSuspended };
  }
}

function aborted(operation: string, path: string | undefined, signal: AbortSignal): ZkError {
  return new ZkError({ code: "ABORTED", outcome: "not-applied", operation, path, cause: signal.reason });
}

function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      unheed();
      resolve();
    }, delayMs);
    const unheed = whenAborted(signal, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
