import type { ZkError } from "../errors.js";
import { type CallEnded, diagnosticsChannels } from "./channels.js";

/** What is needed of an OpenTelemetry `Tracer`: that of `@opentelemetry/api` fits, and nothing is imported for it. */
export interface CallTracer {
  /** Begins the span of one call; its parent is the active one, as OpenTelemetry has it. */
  startSpan(name: string, options: { kind: number; attributes: Record<string, string | number> }): CallSpan;
}

/** What is needed of an OpenTelemetry `Span`. */
export interface CallSpan {
  /** Called for a call that failed: `error.type` and `zookeeper.outcome`. */
  setAttribute(name: string, value: string): unknown;
  /** Called for a call that failed, with the number of OpenTelemetry's ERROR and the error's message. */
  setStatus(status: { code: number; message: string }): unknown;
  /** Called once, when the call has ended. */
  end(): void;
}

/** OpenTelemetry's numbers for SpanKind.CLIENT and SpanStatusCode.ERROR. */
const SPAN_KIND_CLIENT = 2;
const STATUS_ERROR = 2;

/** Whether anybody looks at calls. */
export function isObserved(tracer: CallTracer | undefined): boolean {
  return (
    tracer !== undefined || diagnosticsChannels.callStart.hasSubscribers || diagnosticsChannels.callEnd.hasSubscribers
  );
}

/** Tells of a call's beginning, and returns what tells of its end. */
export function observeCall(
  tracer: CallTracer | undefined,
  operation: string,
  path: string | undefined,
  sessionId: bigint,
): (error: ZkError | undefined) => void {
  const startMs = performance.now();
  const { callStart, callEnd } = diagnosticsChannels;
  const told: { -readonly [K in keyof CallEnded]: CallEnded[K] } = {
    operation,
    path,
    sessionId,
    durationMs: 0,
    error: undefined,
  };
  const attributes: Record<string, string | number> = { "db.system.name": "zookeeper", "db.operation.name": operation };
  if (path !== undefined) attributes["zookeeper.path"] = path;
  const span = tracer?.startSpan(`zookeeper ${operation}`, { kind: SPAN_KIND_CLIENT, attributes });
  if (callStart.hasSubscribers) callStart.publish(told);
  return (error) => {
    told.durationMs = performance.now() - startMs;
    told.error = error;
    if (error !== undefined) {
      span?.setAttribute("error.type", error.code);
      span?.setAttribute("zookeeper.outcome", error.outcome);
      span?.setStatus({ code: STATUS_ERROR, message: error.message });
    }
    span?.end();
    if (callEnd.hasSubscribers) callEnd.publish(told);
  };
}
