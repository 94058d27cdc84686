import { Client } from "./client.js";
import { badArguments, ZkError } from "./errors.js";
import type { ListenerErrorHandler } from "./listeners/delivery-queue.js";
import {
  type ConnectTarget,
  isFinal,
  parseConnectString,
  pathProblem,
  type SessionIdentity,
  type WatchEvent,
} from "./session/index.js";
import { Connection } from "./transport/connection.js";
import { dialTcp } from "./transport/tcp.js";

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
 * the session to go on with is gone; CLOSING given up by `signal`
 *
 * ```ts
 * const client = await connect("10.0.0.1:2181,10.0.0.2:2181/app", { sessionTimeoutMs: 10_000 });
 * ```
 */
export async function connect(connectString: string, options: ConnectOptions = {}): Promise<Client> {
  const target = parseTarget(connectString);
  if (options.signal?.aborted) throw failure("CLOSING", connectString, "given up by the signal");
  const stateListeners = new Set<(event: WatchEvent) => unknown>();
  const connection = new Connection({
    session: {
      ...target,
      sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS_DEFAULT,
      random: { below: (bound) => Math.floor(Math.random() * bound) },
      session: options.session,
      requestBytesMax: options.requestBytesMax,
      replyBytesMax: options.replyBytesMax,
      reconnectDelayMsMax: options.reconnectDelayMsMax,
      connectRoundsMax: options.connectRoundsMax,
    },
    dial: dialTcp,
    stateListeners,
    onListenerError: options.onListenerError ?? warnOfListenerError,
  });
  const client = new Client(connection, stateListeners);
  const onAbort = (): void => connection.close();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  client.onState((state) => {
    if (isFinal(state)) options.signal?.removeEventListener("abort", onAbort);
  });
  await untilEstablished(client, connection, connectString, options);
  return client;
}

function untilEstablished(
  client: Client,
  connection: Connection,
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
      if (state === "connected") settle();
      else if (isFinal(state)) settle(endedEarly(state, connectString, connection.machine.lastProblem, options));
    });
    const onTimeout = (): void => {
      const last = connection.machine.lastProblem;
      settle(
        failure(
          "REQUEST_TIMEOUT",
          connectString,
          `${timeoutMs} ms${last === undefined ? "" : `; last attempt: ${last}`}`,
        ),
      );
      connection.close();
    };
    const timer = timeoutMs <= TIMER_MS_MAX ? setTimeout(onTimeout, timeoutMs) : undefined;
  });
}

function endedEarly(
  state: "lost" | "auth-failed" | "closed",
  connectString: string,
  problem: string | undefined,
  options: ConnectOptions,
): ZkError {
  if (state === "lost") return failure("SESSION_EXPIRED", connectString, problem);
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

function failure(
  code: "CLOSING" | "CONNECTION_LOSS" | "REQUEST_TIMEOUT" | "SESSION_EXPIRED",
  connectString: string,
  details: string | undefined,
): ZkError {
  return new ZkError({ code, outcome: "not-applied", operation: "connect", path: connectString, details });
}

function warnOfListenerError(error: unknown, event: WatchEvent): void {
  const subject = event.kind === "session" ? `the session's ${event.state}` : `${event.kind} ${event.path}`;
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`a listener threw when told of ${subject}: ${reason}`, "ZkListenerWarning");
}
