import { EVENT_TYPE } from "@watchkeeper/wire";
import { isFinal, type SessionState } from "./session-state.js";

/**
 * A change of a node, told by the server: that it happened, not what the node holds now. `zxid` is the
 * txn that caused it, or undefined where the server does not say (before 3.9, and after a reconnect).
 */
export interface NodeEvent {
  readonly kind: "created" | "deleted" | "dataChanged" | "childrenChanged";
  readonly path: string;
  readonly zxid: bigint | undefined;
}

/** The client's session changed its state. Classic watches are not used up by it. */
export interface SessionEvent {
  readonly kind: "session";
  readonly state: SessionState;
  /** With "lost": the client opens a new session and keeps its watches (`whenLost: "renew"`). */
  readonly renewing?: true | undefined;
}

/** Whether nothing can follow this event. */
export function isLastEvent(event: SessionEvent): boolean {
  return isFinal(event.state) && event.renewing !== true;
}

/** The watch was taken away by `removeWatches`; nothing more will come from it. */
export interface WatchRemovedEvent {
  readonly kind: "removed";
  readonly path: string;
}

/** Whatever a watch can tell; `kind` says which. */
export type WatchEvent = NodeEvent | SessionEvent | WatchRemovedEvent;

/**
 * What the application is called with. It may return a promise, which nobody waits for. Whatever it
 * does, neither the connection nor another listener notices.
 */
export type WatchListener = (event: WatchEvent) => unknown;

const kindsByType = new Map<number, NodeEvent["kind"]>([
  [EVENT_TYPE.nodeCreated, "created"],
  [EVENT_TYPE.nodeDeleted, "deleted"],
  [EVENT_TYPE.nodeDataChanged, "dataChanged"],
  [EVENT_TYPE.nodeChildrenChanged, "childrenChanged"],
]);

/** The kind of a server's event, or undefined for a number that no node event has. */
export function nodeEventKind(type: number): NodeEvent["kind"] | undefined {
  return kindsByType.get(type);
}
