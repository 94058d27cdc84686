import type { Ending, Launch, Launched } from "./launcher.js";
import type { ServerPlace } from "./layout.js";
import type { Observation } from "./observation.js";

/**
 * One server of the ensemble as its keeper sees it: a process that is there or not, and what it last said of
 * itself. What is asked of it is refused with a sentence where it makes no sense.
 */
export type Process =
  | { readonly kind: "running"; readonly launched: Launched }
  | { readonly kind: "paused"; readonly launched: Launched }
  /** Asked to stop, or killed, and not gone yet. */
  | { readonly kind: "ending"; readonly launched: Launched; readonly by: "stop" | "kill" | "restart" }
  | { readonly kind: "ended"; readonly how: string };

export interface ServerWorld {
  readonly launch: Launch;
  /** Why a server ended that nobody asked to. */
  readonly lastWords: (place: ServerPlace) => string | undefined;
  /** Tells the user what happened. */
  readonly tell: (sentence: string) => void;
}

export class SupervisedServer {
  readonly place: ServerPlace;
  process: Process = { kind: "ended", how: "not started" };
  observation: Observation = { kind: "silent" };
  /** Whether it ended by itself, without having been asked to. */
  hasFailed = false;
  private readonly world: ServerWorld;

  constructor(place: ServerPlace, world: ServerWorld) {
    this.place = place;
    this.world = world;
  }

  get name(): string {
    return `server ${this.place.id}`;
  }

  get launched(): Launched | undefined {
    return this.process.kind === "ended" ? undefined : this.process.launched;
  }

  start(): void {
    const launched = this.world.launch(this.place);
    this.hasFailed = false;
    this.process = { kind: "running", launched };
    this.world.tell(`${this.name} started as process ${launched.pid}`);
    void launched.ended.then((ending) => this.onEnded(launched, ending));
  }

  stop(): void {
    this.end("stop");
  }

  kill(): void {
    this.end("kill");
  }

  pause(): void {
    const { process } = this;
    if (process.kind !== "running") {
      this.refuse("pause");
      return;
    }
    process.launched.signal("SIGSTOP");
    this.process = { kind: "paused", launched: process.launched };
    this.observation = { kind: "silent" };
    this.world.tell(`${this.name} paused: it keeps its connections and answers nothing`);
  }

  resume(): void {
    const { process } = this;
    if (process.kind !== "paused") {
      this.refuse("resume");
      return;
    }
    process.launched.signal("SIGCONT");
    this.process = { kind: "running", launched: process.launched };
    this.world.tell(`${this.name} resumed`);
  }

  /** Stops it for good, whatever was wished of it before. */
  retire(): void {
    const { process } = this;
    if (process.kind === "running" || process.kind === "paused") this.stop();
    else if (process.kind === "ending" && process.by === "restart") this.process = { ...process, by: "stop" };
  }

  /** Starts it where it is down, and stops it before where it is up. */
  restart(): void {
    if (this.process.kind === "ended") this.start();
    else this.end("restart");
  }

  private end(by: "stop" | "kill" | "restart"): void {
    if (this.process.kind === "ended" || (this.process.kind === "ending" && by !== "kill")) {
      this.refuse(by);
      return;
    }
    const { launched, kind } = this.process;
    launched.signal(by === "kill" ? "SIGKILL" : "SIGTERM");
    // A stopped process takes a SIGTERM only when it goes on.
    if (kind === "paused" && by !== "kill") launched.signal("SIGCONT");
    this.process = { kind: "ending", launched, by };
  }

  private refuse(wish: string): void {
    this.world.tell(`cannot ${wish} ${this.name}: it is ${describeProcess(this.process)}`);
  }

  private onEnded(launched: Launched, ending: Ending): void {
    const { process } = this;
    if (process.kind === "ended" || process.launched !== launched) return;
    const by = process.kind === "ending" ? process.by : undefined;
    this.observation = { kind: "silent" };
    this.hasFailed = by === undefined;
    this.process = { kind: "ended", how: by === undefined ? howEnded(ending) : by === "kill" ? "killed" : "stopped" };
    if (by === undefined) {
      const reason = this.world.lastWords(this.place) ?? `${this.place.logFile} may say why`;
      this.world.tell(`${this.name} ${howEnded(ending)}: ${reason}`);
    } else this.world.tell(`${this.name} ${by === "kill" ? "killed" : "stopped"}`);
    if (by === "restart") this.restart();
  }
}

function howEnded({ code, signal }: Ending): string {
  if (signal !== null) return `ended by ${signal}`;
  return code === null ? "could not be started" : `ended with code ${code}`;
}

export function describeProcess(process: Process): string {
  switch (process.kind) {
    case "running":
      return "running";
    case "paused":
      return "paused";
    case "ending":
      return "stopping";
    case "ended":
      return process.how;
  }
}
