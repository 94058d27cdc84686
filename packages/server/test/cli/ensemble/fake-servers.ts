import { createServer, type Server } from "node:net";
import { onTestFinished } from "vitest";
import type { Ending, Launched } from "../../../src/cli/ensemble/launcher.js";
import type { ServerPlace } from "../../../src/cli/ensemble/layout.js";

/** A process that does what a test lets it do. */
export class FakeProcess implements Launched {
  readonly pid: number;
  readonly signals: string[] = [];
  readonly ended: Promise<Ending>;
  /** Whether a SIGTERM ends it. */
  isObedient = true;
  private resolveEnded!: (ending: Ending) => void;

  constructor(pid: number) {
    this.pid = pid;
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
  }

  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): boolean {
    this.signals.push(name);
    if (name === "SIGKILL") this.end({ code: null, signal: name });
    if (name === "SIGTERM" && this.isObedient) this.end({ code: 0, signal: null });
    return true;
  }

  end(ending: Ending): void {
    this.resolveEnded(ending);
  }
}

/** Answers `srvr` on a port as a server in some role would, or keeps silent. */
export class FakeWords {
  answer: string | undefined;
  private readonly server: Server;

  private constructor(answer: string | undefined) {
    this.answer = answer;
    this.server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => {
        if (this.answer !== undefined) socket.end(this.answer);
      });
    });
    onTestFinished(() => void this.server.close());
  }

  static async listen(answer?: string): Promise<FakeWords> {
    const words = new FakeWords(answer);
    await new Promise<void>((resolve) => words.server.listen(0, "127.0.0.1", () => resolve()));
    return words;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }
}

export const NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n";

export function srvr(mode: string, zxid = 0x100000007, connections = 3): string {
  return [
    "Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on 2022-02-25 08:49 UTC",
    "Latency min/avg/max: 0/0.5/4",
    "Received: 17",
    "Sent: 15",
    `Connections: ${connections}`,
    "Outstanding: 0",
    `Zxid: 0x${zxid.toString(16)}`,
    `Mode: ${mode}`,
    "Node count: 13",
    ...(mode === "leader" ? ["Proposal sizes last/min/max: 92/48/92"] : []),
    "",
  ].join("\n");
}

export function place(id: number, clientPort = 2180 + id): ServerPlace {
  return {
    id,
    role: "participant",
    clientPort,
    quorumPort: 2887 + id,
    electionPort: 3887 + id,
    configFile: `ensemble/server.${id}/zoo.cfg`,
    dataDir: `ensemble/server.${id}/data`,
    logFile: `ensemble/server.${id}/server.log`,
  };
}
