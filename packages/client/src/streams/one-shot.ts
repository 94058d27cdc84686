import { ZkError } from "../errors.js";
import { isLastEvent, type NodeEvent, type WatchEvent } from "../session/index.js";

/** The first change after a read, as a promise: the classic one-shot watch. */
export class OneShot {
  /**
   * Resolves with the change. Rejects with NO_WATCHER when the watch was removed, with SESSION_EXPIRED,
   * AUTH_FAILED or CLOSING when the session ended, with ABORTED when it was given up. Nobody has to look
   * at it.
   */
  readonly changed: Promise<NodeEvent>;
  private readonly path: string;
  private settle!: { resolve(event: NodeEvent): void; reject(error: ZkError): void };

  constructor(path: string) {
    this.path = path;
    this.changed = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.changed.catch(() => undefined);
  }

  readonly listener = (event: WatchEvent): void => {
    if (event.kind === "removed") this.fail("NO_WATCHER");
    else if (event.kind !== "session") this.settle.resolve(event);
    else if (!isLastEvent(event)) return;
    else if (event.state === "lost") this.fail("SESSION_EXPIRED");
    else this.fail(event.state === "auth-failed" ? "AUTH_FAILED" : "CLOSING");
  };

  fail(code: ZkError["code"], cause?: unknown): void {
    const { path } = this;
    this.settle.reject(new ZkError({ code, outcome: "not-applied", operation: "watch", path, cause }));
  }
}
