import { WORD } from "../load/reply-scanner.js";
import { frames, nodeData } from "../load/request-frames.js";
import { ServerConnection, type Target } from "../load/server-connection.js";

const ANSWER_MS_MAX = 1_000;
const AGAIN_MS = 3;

/** A client that wants one thing: its next write acknowledged, by whichever server it is told of. */
export class WriteProbe {
  private readonly path: string;
  private connection: ServerConnection | undefined;
  private isReady = false;
  private settle: (isDone: boolean) => void = () => {};

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Resolves with the milliseconds until a write that was sent from now on is acknowledged. It stays with
   * its connection while that is there, and else tries the servers in turn.
   */
  async nextWriteMs(targets: readonly Target[]): Promise<number> {
    const startedMs = performance.now();
    for (let attempt = 0; ; attempt++) {
      const isConnected = this.isReady || (await this.open(targets[attempt % targets.length]!));
      if (isConnected && (await this.write())) return performance.now() - startedMs;
      this.close();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  close(): void {
    this.connection?.destroy();
    this.connection = undefined;
    this.isReady = false;
  }

  private open(target: Target): Promise<boolean> {
    return this.outcome(() => {
      const connection: ServerConnection = new ServerConnection(target, {
        onReady: () => {
          this.isReady = this.connection === connection;
          this.settle(this.isReady);
        },
        onFrame: (words) => this.settle(words[WORD.error] === 0),
        onChunkEnd: () => {},
        onClosed: () => {
          if (this.connection !== connection) return;
          this.isReady = false;
          this.settle(false);
        },
      });
      this.connection = connection;
    });
  }

  private write(): Promise<boolean> {
    return this.outcome(() => this.connection!.write(frames.setData(this.path, nodeData(100))));
  }

  private outcome(begin: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ANSWER_MS_MAX);
      this.settle = (isDone) => {
        clearTimeout(timer);
        resolve(isDone);
      };
      begin();
    });
  }
}
