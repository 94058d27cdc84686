import { XID } from "@watchkeeper/wire";
import { type Lanes, type LanesParts, OPENED_AT_ONCE, until, whilePinging } from "./lanes.js";
import { WORD } from "./reply-scanner.js";
import { frames, nodeData } from "./request-frames.js";
import { ServerConnection } from "./server-connection.js";

const PING = frames.ping();

/**
 * One node, a data watch on it from every connection. The first connection sets the node; each
 * notification is counted from the moment of the set; when all have been notified and all watches are
 * registered again, it sets once more. (With several workers every worker has a node of its own.)
 */
export class FanoutLanes implements Lanes {
  private readonly parts: LanesParts;
  private readonly connections: ServerConnection[] = [];
  private readonly watchFrame: Uint8Array;
  private readonly setFrame: Uint8Array;
  private running = false;
  private ready = 0;
  private repliesDue = 0;
  private eventsDue = 0;
  private setAtMs = 0;
  private closing = false;

  constructor(parts: LanesParts) {
    const path = fanoutPath(parts.spec.root, parts.first);
    this.parts = parts;
    this.watchFrame = frames.getData(path, true);
    this.setFrame = frames.setData(path, nodeData(parts.spec.valueBytes));
  }

  open(): Promise<void> {
    const ping = (): void => {
      for (const connection of this.connections.slice(0, this.ready)) connection.write(PING);
    };
    return whilePinging(ping, this.openAll());
  }

  private async openAll(): Promise<void> {
    for (let i = 0; i < this.parts.count; i++) {
      this.connections.push(this.connect(i));
      if (i % OPENED_AT_ONCE === OPENED_AT_ONCE - 1) await this.allReady();
    }
    await this.allReady();
    for (const connection of this.connections) this.send(connection, this.watchFrame);
    await until(() => this.repliesDue === 0, "registering the watches");
  }

  private allReady(): Promise<void> {
    return until(() => this.ready === this.connections.length, "opening the sessions");
  }

  begin(): void {
    this.running = true;
    this.set();
  }

  async end(): Promise<void> {
    this.running = false;
    await until(() => this.eventsDue === 0 && this.repliesDue === 0, "the last notifications");
    this.closing = true;
    for (const connection of this.connections) connection.write(frames.closeSession());
  }

  private connect(index: number): ServerConnection {
    return new ServerConnection(this.parts.target, {
      onReady: () => {
        this.ready++;
      },
      onFrame: (words, atMs) => this.onFrame(words, atMs, index),
      onChunkEnd: () => {
        if (this.running && this.eventsDue === 0 && this.repliesDue === 0) this.set();
      },
      onClosed: (error) => {
        if (!this.closing) this.parts.onFailure(error ?? new Error("the server closed a connection"));
      },
    });
  }

  private onFrame(words: Int32Array, atMs: number, index: number): void {
    if (this.closing || words[WORD.xid] === XID.ping) return;
    if (words[WORD.xid] === XID.notification) {
      this.eventsDue--;
      this.parts.recorder.record(this.setAtMs, atMs);
      this.send(this.connections[index]!, this.watchFrame);
      return;
    }
    this.repliesDue--;
    if (words[WORD.error] !== 0) this.parts.recorder.fail(words[WORD.error]!);
  }

  private set(): void {
    this.eventsDue = this.parts.count;
    this.setAtMs = performance.now();
    this.send(this.connections[0]!, this.setFrame);
  }

  private send(connection: ServerConnection, frame: Uint8Array): void {
    this.repliesDue++;
    connection.write(frame);
  }
}

export function fanoutPath(root: string, firstLane: number): string {
  return `${root}/w${firstLane}`;
}
