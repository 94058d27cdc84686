import { Client } from "./client.js";
import type { CallTracer } from "./diagnostics/call-observer.js";
import { diagnosticsChannels } from "./diagnostics/channels.js";
import { badArguments, ZkError } from "./errors.js";
import type { ListenerErrorHandler } from "./listeners/delivery-queue.js";
import { Requester } from "./operations/requester.js";
import { whenAborted } from "./operations/when-aborted.js";
import type { RetryPolicy } from "./retry/retry-policy.js";
import type { DigestMd5 } from "./sasl/digest-md5.js";
import { saslDriver } from "./sasl/sasl-driver.js";
import type { SaslMechanism } from "./sasl/sasl-mechanism.js";
import {
  type ConnectTarget,
  type Delivery,
  type ErrorName,
  formatAddress,
  isFinal,
  isLastEvent,
  isServed,
  parseConnectString,
  pathProblem,
  type SessionIdentity,
  type SessionOptions,
  type SessionState,
  type WatchEvent,
  type WhenSuspended,
} from "./session/index.js";
import { Connection, deliverInto } from "./transport/connection.js";
import type { ConnectionHalf } from "./transport/connection-half.js";
import { probeBy } from "./transport/probe.js";
import { dialTcp } from "./transport/tcp.js";
import type { TlsOptions } from "./transport/tls.js";
import type { Dial } from "./transport/transport.js";

/** What `connect` takes; every option has a default that serves. */
export interface ConnectOptions {
  /**
   * Milliseconds after which the servers end a session that they hear nothing from. Short: ephemeral
   * nodes of a dead client vanish soon; long: a slow network or a long garbage collection costs no
   * session. The server clamps it to a range of its own, usually 4 to 40 s. @default 10000
   */
  readonly sessionTimeoutMs?: number | undefined;
  /** Milliseconds after which `connect` gives up; Infinity is allowed. @default 15000 */
  readonly connectTimeoutMs?: number | undefined;
  /** How often `connect` tries all servers before it gives up. @default Infinity: until `connectTimeoutMs` */
  readonly connectRoundsMax?: number | undefined;
  /** Gives up connecting, or closes the client later. */
  readonly signal?: AbortSignal | undefined;
  /** Goes on with the session of an earlier client (its `session`) instead of opening one. */
  readonly session?: SessionIdentity | undefined;
  /** Refuses requests a server would hang up on: its `jute.maxbuffer`. @default 1048575 */
  readonly requestBytesMax?: number | undefined;
  /** The longest reply that is accepted. @default 67108864 (64 MiB) */
  readonly replyBytesMax?: number | undefined;
  /** Upper bound of the random pause before another attempt, which grows while all fail. @default 2000 */
  readonly reconnectDelayMsMax?: number | undefined;
  /** Told when a listener throws or its promise rejects. @default a process warning */
  readonly onListenerError?: ListenerErrorHandler | undefined;
  /** The `timeoutMs` of calls that give none. @default none: a call waits as long as its session lives */
  readonly requestTimeoutMs?: number | undefined;
  /** The `whenSuspended` of calls that give none. @default "try-all" */
  readonly whenSuspended?: WhenSuspended | undefined;
  /** The `retry` of calls that give none. @default none is repeated */
  readonly retry?: RetryPolicy | undefined;
  /** Is content with a server that is cut off from the others, until a full one is found: state "read-only". @default false */
  readonly readOnly?: boolean | undefined;
  /**
   * "renew": when the servers have ended the session, opens a new one by itself and takes all watches
   * along; ephemeral nodes made with `restore: true` are made again. State "lost" is told all the same,
   * and then "connecting". @default "stop"
   */
  readonly whenLost?: "stop" | "renew" | undefined;
  /** Speaks TLS to all servers; true: with Node's defaults. */
  readonly tls?: TlsOptions | true | undefined;
  /** Authenticates every connection by SASL, such as `digestMd5({ username, password })`. */
  readonly sasl?: SaslMechanism | undefined;
  /** Credentials as `addAuth` takes them, sent before anything else. */
  readonly auth?: readonly { readonly scheme: string; readonly credential: Uint8Array | string }[] | undefined;
  /**
   * Runs the connection half in a thread of its own: the session then outlives whatever blocks the
   * application's thread. Costs some milliseconds at the start, and waking a thread on the way out and back:
   * a call on its own takes longer, among many it is hardly noticed.
   * @default false
   */
  readonly connectionThread?: boolean | undefined;
  /** An OpenTelemetry tracer: every call becomes a span. */
  readonly tracer?: CallTracer | undefined;
}

const SESSION_TIMEOUT_MS_DEFAULT = 10_000;
const CONNECT_TIMEOUT_MS_DEFAULT = 15_000;
/** Node takes a longer timer for none at all and fires at once; so long a wait is one without end. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Opens a session with the servers of `connectString` ("host:port,host:port/chroot") and resolves when
 * it stands. The servers are tried in random order.
 *
 * @throws BAD_ARGUMENTS; REQUEST_TIMEOUT or CONNECTION_LOSS no server could be reached; SESSION_EXPIRED
 * the session to go on with is gone; AUTH_FAILED; CLOSING given up by `signal`
 *
 * ```ts
 * const client = await connect("10.0.0.1:2181,10.0.0.2:2181/app", { sessionTimeoutMs: 10_000 });
 * ```
 */
export async function connect(connectString: string, options: ConnectOptions = {}): Promise<Client> {
  const target = parseTarget(connectString);
  if (options.signal?.aborted) throw failure("CLOSING", connectString, "given up by the signal");
  const stateListeners = new Set<(event: WatchEvent) => unknown>();
  const onListenerError = options.onListenerError ?? warnOfListenerError;
  const half = await openHalf(connectString, target, options, deliverInto(stateListeners, onListenerError));
  const requester = new Requester(half, {
    timeoutMs: options.requestTimeoutMs ?? 0,
    whenSuspended: options.whenSuspended ?? "try-all",
    retry: options.retry,
    tracer: options.tracer,
  });
  const client = new Client({ requester, stateListeners, onBackgroundError: warnOfLostEphemeral });
  // The client's end tells of a refusal, and of that alone.
  for (const { scheme, credential } of options.auth ?? []) client.addAuth(scheme, credential).catch(() => undefined);
  const unheed = whenAborted(options.signal, () => half.close()); // at once if it was while the half was being opened
  stateListeners.add((event) => {
    if (event.kind === "session" && isLastEvent(event)) unheed();
  });
  await untilEstablished(client, half, connectString, options);
  return client;
}

/** What few clients need is loaded for those: TLS, the thread. */
async function openHalf(
  connectString: string,
  target: ConnectTarget,
  options: ConnectOptions,
  deliver: (deliveries: readonly Delivery[]) => void,
): Promise<ConnectionHalf> {
  const session: Omit<SessionOptions, "random"> = {
    ...target,
    sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS_DEFAULT,
    session: options.session,
    requestBytesMax: options.requestBytesMax,
    replyBytesMax: options.replyBytesMax,
    reconnectDelayMsMax: options.reconnectDelayMsMax,
    connectRoundsMax: options.connectRoundsMax,
    readOnly: options.readOnly,
    renewsLost: options.whenLost === "renew",
    sasl: options.sasl !== undefined,
  };
  const tls = options.tls === true ? {} : options.tls;
  const dialChosen = tls === undefined ? dialTcp : (await import("./transport/tls.js")).dialTls(tls);
  if (options.connectionThread === true) {
    return await openThread(connectString, { session, tls, deliver }, options.sasl);
  }
  const dial = observed(dialChosen);
  return new Connection({
    session: { ...session, random: { below: (bound) => Math.floor(Math.random() * bound) } },
    dial,
    probe: probeBy(dial),
    sasl: options.sasl === undefined ? undefined : saslDriver(options.sasl),
    deliver,
  });
}

async function openThread(
  connectString: string,
  parts: {
    session: Omit<SessionOptions, "random">;
    tls: TlsOptions | undefined;
    deliver: (deliveries: readonly Delivery[]) => void;
  },
  sasl: SaslMechanism | undefined,
): Promise<ConnectionHalf> {
  const isDigest = (mechanism: SaslMechanism): mechanism is DigestMd5 =>
    mechanism.name === "DIGEST-MD5" && "credentials" in mechanism;
  if (sasl !== undefined && !isDigest(sasl)) {
    throw badArguments("connect", connectString, `connectionThread goes with digestMd5 only, ${sasl.name} found`);
  }
  const { ThreadConnection } = await import("./thread/thread-connection.js");
  try {
    return new ThreadConnection({ ...parts, digestMd5: sasl?.credentials });
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw badArguments("connect", connectString, `connectionThread takes plain data as tls options: ${error.message}`);
  }
}

function observed(dial: Dial): Dial {
  return (server, events) => {
    const { dial: channel } = diagnosticsChannels;
    if (channel.hasSubscribers) channel.publish({ server: formatAddress(server) });
    return dial(server, events);
  };
}

function untilEstablished(
  client: Client,
  half: ConnectionHalf,
  connectString: string,
  options: ConnectOptions,
): Promise<void> {
  const timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS_DEFAULT;
  return new Promise((resolve, reject) => {
    const settle = (error?: ZkError): void => {
      clearTimeout(timer);
      stop();
      if (error === undefined) resolve();
      else reject(error);
    };
    const stop = client.onState((state) => {
      if (isServed(state)) settle();
      else if (state === "lost" && options.whenLost === "renew") return;
      else if (isFinal(state)) settle(endedEarly(state, connectString, half.session.lastProblem, options));
    });
    const onTimeout = (): void => {
      const last = half.session.lastProblem;
      settle(
        failure(
          "REQUEST_TIMEOUT",
          connectString,
          `${timeoutMs} ms${last === undefined ? "" : `; last attempt: ${last}`}`,
        ),
      );
      half.close();
    };
    const timer = timeoutMs <= TIMER_MS_MAX ? setTimeout(onTimeout, timeoutMs) : undefined;
  });
}

function endedEarly(
  state: Extract<SessionState, "lost" | "auth-failed" | "closed">,
  connectString: string,
  problem: string | undefined,
  options: ConnectOptions,
): ZkError {
  if (state === "lost") return failure("SESSION_EXPIRED", connectString, problem);
  if (state === "auth-failed") return failure("AUTH_FAILED", connectString, problem);
  if (options.signal?.aborted) return failure("CLOSING", connectString, "given up by the signal");
  return failure("CONNECTION_LOSS", connectString, problem);
}

function parseTarget(connectString: string): ConnectTarget {
  try {
    const target = parseConnectString(connectString);
    const problem = target.chroot === "" ? undefined : pathProblem(target.chroot);
    if (problem !== undefined) throw new RangeError(`chroot "${target.chroot}": ${problem}`);
    return target;
  } catch (error) {
    if (error instanceof RangeError) throw badArguments("connect", connectString, error.message);
    throw error;
  }
}

function failure(code: ErrorName, connectString: string, details: string | undefined): ZkError {
  return new ZkError({ code, outcome: "not-applied", operation: "connect", path: connectString, details });
}

function warnOfListenerError(error: unknown, event: WatchEvent): void {
  const subject = event.kind === "session" ? `the session's ${event.state}` : `${event.kind} ${event.path}`;
  process.emitWarning(`a listener threw when told of ${subject}: ${reasonOf(error)}`, "ZkListenerWarning");
}

function warnOfLostEphemeral(error: unknown, path: string): void {
  process.emitWarning(`the ephemeral node ${path} could not be restored: ${reasonOf(error)}`, "ZkSessionWarning");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
