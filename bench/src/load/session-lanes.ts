import { type Lanes, type LanesParts, until } from "./lanes.js";
import { frames } from "./request-frames.js";
import { type ConnectionEvents, ServerConnection } from "./server-connection.js";

const CLOSE_SESSION = frames.closeSession();

/** Every lane opens a session and closes it; when the server has hung up, it opens the next. */
export class SessionLanes implements Lanes {
  private readonly parts: LanesParts;
  private running = false;
  private connected = 0;

  constructor(parts: LanesParts) {
    this.parts = parts;
  }

  async open(): Promise<void> {}

  begin(): void {
    this.running = true;
    for (let i = 0; i < this.parts.count; i++) this.connect();
  }

  async end(): Promise<void> {
    this.running = false;
    await until(() => this.connected === 0, "closing the last sessions");
  }

  private connect(): void {
    const startedAtMs = performance.now();
    let closed = false;
    this.connected++;
    const events: ConnectionEvents = {
      onReady: () => connection.write(CLOSE_SESSION),
      onFrame: (_words, atMs) => {
        closed = true;
        this.parts.recorder.record(startedAtMs, atMs);
      },
      onChunkEnd: () => {},
      onClosed: (error) => {
        this.connected--;
        if (!closed) this.parts.onFailure(error ?? new Error("the server closed a connection without an answer"));
        else if (this.running) this.connect();
      },
    };
    const connection = new ServerConnection(this.parts.target, events);
  }
}
