import type { Call } from "./call.js";
import type { SessionState } from "./session-state.js";
import type { SessionEvent, WatchEvent, WatchListener } from "./watch-event.js";

/**
 * What the connection half hands to the listener half, in the order in which the application must see
 * it. Invariant: an event stands before every completion whose reply came after it on the wire; with
 * that no caller sees new data before its watch has told of it (M7).
 */
export type Delivery = Call | EventDelivery;

export interface EventDelivery {
  readonly kind: "event";
  readonly event: WatchEvent;
  /** The watchers concerned. State listeners are called besides, for session events. */
  readonly listeners: ReadonlySet<WatchListener>;
}

export function sessionEvent(
  state: SessionState,
  listeners: ReadonlySet<WatchListener>,
  renewing: boolean,
): EventDelivery {
  const event: SessionEvent = renewing ? { kind: "session", state, renewing } : { kind: "session", state };
  return { kind: "event", event, listeners };
}
