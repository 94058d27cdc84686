import type { ServerPlace } from "./layout.js";
import { type Observation, observationIn } from "./observation.js";
import { type ServerWorld, SupervisedServer } from "./supervised-server.js";

/** What the ensemble needs besides its processes. */
export interface EnsembleWorld extends ServerWorld {
  /** The answer to `srvr`, undefined where there is none in time. */
  readonly ask: (place: ServerPlace) => Promise<string | undefined>;
  readonly monotonicMs: () => number;
}

/** All servers of a local ensemble: started together, asked how they are, stopped together. */
export class LocalEnsemble {
  readonly servers: readonly SupervisedServer[];
  private readonly world: EnsembleWorld;
  private leaderId: number | undefined;
  /** When that leader was last seen to lead. */
  private leaderSeenMs = 0;
  private isLeaderless = true;

  constructor(places: readonly ServerPlace[], world: EnsembleWorld) {
    this.world = world;
    this.servers = places.map((place) => new SupervisedServer(place, world));
  }

  get connectString(): string {
    return this.servers.map(({ place }) => `127.0.0.1:${place.clientPort}`).join(",");
  }

  get leader(): SupervisedServer | undefined {
    return this.servers.find(({ observation }) => observation.kind === "serving" && observation.mode === "leader");
  }

  /** Whether no server is left, and not because anybody wanted it so. */
  get hasFailed(): boolean {
    return this.servers.every(({ process }) => process.kind === "ended") && this.servers.some((one) => one.hasFailed);
  }

  start(): void {
    for (const server of this.servers) server.start();
  }

  /** Asks every server how it is, and tells what has changed since the last time. */
  async observe(): Promise<void> {
    const answers = await Promise.all(
      this.servers.map((server) => (server.process.kind === "running" ? this.world.ask(server.place) : undefined)),
    );
    this.servers.forEach((server, index) => {
      // It may have been paused or have ended while it was asked.
      const answer = server.process.kind === "running" ? answers[index] : undefined;
      this.note(server, observationIn(answer));
    });
    this.noteLeader();
  }

  /** Ends every process; resolves when none is left. */
  async stop(): Promise<void> {
    const left = this.servers.flatMap((server) => server.launched?.ended ?? []);
    for (const server of this.servers) server.retire();
    await Promise.all(left);
  }

  /** For those who would not wait any longer. */
  killAll(): void {
    for (const { launched } of this.servers) launched?.signal("SIGKILL");
  }

  private note(server: SupervisedServer, observation: Observation): void {
    const before = server.observation;
    server.observation = observation;
    if (describe(before) === describe(observation)) return;
    if (observation.kind === "serving") {
      if (observation.mode !== "leader") this.world.tell(`${server.name} is ${article(observation.mode)}`);
    } else if (observation.kind === "looking") this.world.tell(`${server.name} looks for a leader`);
    else if (server.process.kind === "running") this.world.tell(`${server.name} does not answer`);
  }

  private noteLeader(): void {
    const { leader } = this;
    if (leader === undefined) {
      this.isLeaderless = true;
      return;
    }
    const nowMs = this.world.monotonicMs();
    if (this.isLeaderless || leader.place.id !== this.leaderId) {
      const goneMs = nowMs - this.leaderSeenMs;
      const after = this.leaderId === undefined ? "" : `, ${(goneMs / 1000).toFixed(1)} s after the last one was gone`;
      this.world.tell(`${leader.name} leads${after}`);
    }
    this.leaderId = leader.place.id;
    this.leaderSeenMs = nowMs;
    this.isLeaderless = false;
  }
}

function describe(observation: Observation): string {
  return observation.kind === "serving" ? observation.mode : observation.kind;
}

function article(mode: string): string {
  if (mode === "standalone") return "a single server";
  if (mode === "read-only") return "read-only, cut off from the others";
  return mode === "observer" ? "an observer" : `a ${mode}`;
}
