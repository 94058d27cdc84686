import type { Random } from "../../src/ports/index.js";
import type { EnsembleServer } from "./ensemble-server.js";
import type { EnsembleWorld } from "./ensemble-world.js";

/** What may happen to servers, by chance: one thing after the other, and each comes to its end by itself. */
export class Trouble {
  /** What was done, for whoever looks into a failure. */
  readonly told: string[] = [];
  private readonly world: EnsembleWorld;
  private readonly random: Random;
  private isOver = false;

  constructor(world: EnsembleWorld, random: Random) {
    this.world = world;
    this.random = random;
  }

  start(): void {
    this.next();
  }

  /** Everything is made whole again. */
  end(): void {
    this.isOver = true;
    this.world.mend();
    for (const server of this.world.servers) {
      server.extraDiskMs = 0;
      server.disk.mend();
      server.disk.capacityBytes = Number.POSITIVE_INFINITY;
      if (server.process?.life.isPaused === true) server.process.life.resume();
      if (!server.isRunning) server.start();
    }
  }

  private next(): void {
    this.later(100 + this.random.below(2500), () => {
      for (let count = 1 + this.random.below(2); count > 0; count--) this.strike(this.pick(this.world.servers));
      this.next();
    });
  }

  private later(ms: number, task: () => void): void {
    this.world.scheduler.after(ms, () => {
      if (!this.isOver) task();
    });
  }

  private pick<T>(all: readonly T[]): T {
    return all[this.random.below(all.length)]!;
  }

  private tell(what: string): void {
    this.told.push(`${this.world.nowMs}: ${what}`);
  }

  private strike(server: EnsembleServer): void {
    const { sid } = server;
    switch (this.random.below(20)) {
      case 0:
      case 1:
        this.tell(`server ${sid} loses its power`);
        server.crash();
        this.startLater(server, 5000);
        return;
      case 2:
        this.tell(`server ${sid} is killed`);
        server.kill();
        this.startLater(server, 3000);
        return;
      case 3:
        this.pause(server);
        return;
      case 4:
      case 5:
        this.cut(server);
        return;
      case 6:
        this.isolate(server);
        return;
      case 7:
        this.slowDisk(server);
        return;
      case 8:
        this.failDisk(server);
        return;
      case 9:
        this.tell("all lose their power");
        for (const one of this.world.servers) {
          one.crash();
          this.startLater(one, 3000);
        }
        return;
      case 10:
        this.newDisk(server);
        return;
      case 11:
      case 12:
        this.blip(server);
        return;
      case 13:
        this.split();
        return;
      case 14:
        this.slowLeader();
        return;
      case 15:
        this.fillDisk(server);
        return;
      case 16:
        this.tell(`server ${sid} is to take a snapshot`);
        server.process?.snapshotSoon();
        return;
      case 17:
        this.tell(`server ${sid} removes old files`);
        server.process?.purge();
        return;
      case 18:
        this.snapshotAndCrash(server);
        return;
      default:
        this.tell("the wall clock is set");
        this.world.clock.jumpWall(this.random.below(20_000) - 10_000);
    }
  }

  /** Whatever process is there then has been started by somebody else meanwhile. */
  private startLater(server: EnsembleServer, msMax: number): void {
    this.later(this.random.below(msMax), () => {
      if (!server.isRunning) server.start();
    });
  }

  private pause(server: EnsembleServer): void {
    const life = server.process?.life;
    if (life === undefined) return;
    this.tell(`server ${server.sid} is paused`);
    life.pause();
    this.later(100 + this.random.below(6000), () => life.resume());
  }

  private cut(server: EnsembleServer): void {
    const { network, servers } = this.world;
    const other = this.pick(servers.filter((one) => one !== server));
    const state = this.pick(["silent", "refused"] as const);
    const isOneWay = this.random.below(2) === 0;
    this.tell(`${state}: from ${server.sid} to ${other.sid}${isOneWay ? "" : " and back"}`);
    if (isOneWay) network.setLink(server.host, other.host, state);
    else network.cut(server.host, other.host, state);
    this.later(this.random.below(8000), () => network.mend(server.host, other.host));
  }

  private isolate(server: EnsembleServer): void {
    this.tell(`server ${server.sid} is cut off`);
    this.world.isolate(server, this.pick(["silent", "refused"] as const));
    this.later(this.random.below(8000), () => {
      for (const other of this.world.servers) if (other !== server) this.world.network.mend(server.host, other.host);
    });
  }

  /** Connections are reset, and can be made anew at once. */
  private blip(server: EnsembleServer): void {
    const { network, servers } = this.world;
    const other = this.pick(servers.filter((one) => one !== server));
    this.tell(`reset: between ${server.sid} and ${other.sid}`);
    network.cut(server.host, other.host, "refused");
    network.mend(server.host, other.host);
  }

  /** Two parties that do not hear of each other, or one of them not of the other. */
  private split(): void {
    const { network, servers } = this.world;
    const ones = new Set(servers.filter(() => this.random.below(2) === 0));
    const state = this.pick(["silent", "refused"] as const);
    const isOneWay = this.random.below(3) === 0;
    this.tell(`${state}: ${[...ones].map(({ sid }) => sid).join(", ")} ${isOneWay ? "to" : "and"} the others`);
    const each = (action: (one: EnsembleServer, other: EnsembleServer) => void) => {
      for (const one of ones) for (const other of servers) if (!ones.has(other)) action(one, other);
    };
    each((one, other) =>
      isOneWay ? network.setLink(one.host, other.host, state) : network.cut(one.host, other.host, state),
    );
    this.later(this.random.below(8000), () => each((one, other) => network.mend(one.host, other.host)));
  }

  /** What the others have long since committed is not on its disk, and some of them come anew meanwhile. */
  private slowLeader(): void {
    const leader = this.world.servers.find(({ isLeading }) => isLeading);
    if (leader === undefined) return;
    this.tell(`the disk of server ${leader.sid}, which leads, is slow, and connections to it are reset`);
    leader.extraDiskMs = 200 + this.random.below(3000);
    for (let resets = 1 + this.random.below(3); resets > 0; resets--)
      this.later(this.random.below(2000), () => this.blip(leader));
    this.later(1000 + this.random.below(4000), () => {
      leader.extraDiskMs = 0;
    });
  }

  private slowDisk(server: EnsembleServer): void {
    this.tell(`the disk of server ${server.sid} is slow`);
    server.extraDiskMs = 20 + this.random.below(500);
    this.later(this.random.below(8000), () => {
      server.extraDiskMs = 0;
    });
  }

  /** Somebody else has filled it; whoever starts meanwhile finds no room either. */
  private fillDisk({ sid, disk }: EnsembleServer): void {
    this.tell(`the disk of server ${sid} is full`);
    disk.capacityBytes = disk.usedBytes + this.random.below(9000);
    this.later(500 + this.random.below(6000), () => {
      disk.capacityBytes = Number.POSITIVE_INFINITY;
    });
  }

  /** It starts with a snapshot of just now, or with one that is half written, and the log beside it. */
  private snapshotAndCrash(server: EnsembleServer): void {
    this.tell(`server ${server.sid} is to take a snapshot, and loses its power`);
    server.process?.snapshotSoon();
    this.later(this.random.below(1500), () => {
      server.crash();
      this.startLater(server, 1000);
    });
  }

  /** Its process ends over that, and is started again when somebody has seen to it. */
  private failDisk(server: EnsembleServer): void {
    this.tell(`the disk of server ${server.sid} fails`);
    if (this.random.below(2) === 0) server.disk.failWrite(1 + this.random.below(4), "ENOSPC");
    else server.disk.failSync(1 + this.random.below(4), "EIO");
    const look = () => {
      if (server.isRunning) return;
      server.start();
    };
    this.later(3000, look);
    this.later(8000, look);
  }

  /** Only where everything that it has acknowledged or promised is elsewhere too: what an operator has to see to. */
  private newDisk(server: EnsembleServer): void {
    const { witness, servers } = this.world;
    const others = servers.filter((one) => one !== server);
    const acknowledged = Math.max(witness.committed, witness.durableThrough(server.sid));
    const epochs = new Set(others.map(({ epoch }) => epoch));
    const areWhole = others.every(({ sid, isServing }) => isServing && witness.durableThrough(sid) >= acknowledged);
    if (!areWhole || epochs.size !== 1) return;
    this.tell(`server ${server.sid} gets a new disk`);
    server.crash();
    server.replaceDisk();
    this.startLater(server, 3000);
  }
}
