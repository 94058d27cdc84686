import type { WatchEvent, WatchListener } from "@watchkeeper/client";
import { until } from "./until.js";

/** A listener that keeps what it was told. */
export class CollectedEvents {
  readonly all: WatchEvent[] = [];
  readonly listener: WatchListener = (event) => {
    this.all.push(event);
  };

  /** The events of nodes as "kind path", without those of the session. */
  get ofNodes(): string[] {
    return this.all.flatMap((event) => (event.kind === "session" ? [] : [`${event.kind} ${event.path}`]));
  }

  get ofSession(): string[] {
    return this.all.flatMap((event) => (event.kind === "session" ? [event.state] : []));
  }

  untilNodes(count: number): Promise<void> {
    return until(
      () => this.ofNodes.length >= count,
      () => `${count} events; there are ${this.ofNodes.join(", ")}`,
    );
  }

  untilSession(state: string): Promise<void> {
    return until(
      () => this.ofSession.includes(state),
      () => `state ${state}; there were ${this.ofSession.join(", ")}`,
    );
  }
}
