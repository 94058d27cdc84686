/**
 * An ensemble of real server processes, each Apache's or Watchkeeper, on one machine: their ports, data
 * directories and configurations, and the questions a test asks of the whole: is there a quorum, who
 * leads, have all applied the same.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reservePorts } from "../../../support/ports.js";
import { until } from "../../../support/until.js";
import { type ServerView, viewOf } from "./four-letter-words.js";
import { Member, type MemberPorts, type ServerKind } from "./member.js";

export interface EnsembleOptions {
  /** The kind of each voter, by sid from 1. */
  readonly kinds: readonly ServerKind[];
  /** Observers, with the sids after those of the voters. */
  readonly observers?: readonly ServerKind[];
  /** Lines of zoo.cfg of every member, after the usual ones. */
  readonly configLines?: readonly string[];
  /**
   * The ports at which `viewer` is to reach `target`, where that is not directly: a proxy's. A server's
   * own line always has its true ports, since it listens on them.
   */
  readonly route?: (viewer: number, target: number) => MemberPorts;
  /** A data directory elsewhere, such as on a small disk. */
  readonly dataDir?: (sid: number) => string | undefined;
  /** Added to the environment of a member's process. */
  readonly environment?: (sid: number) => Readonly<Record<string, string>>;
}

/** Rounds of waiting in an election and after a loss are short; logs are small, the memory for a DIFF is large. */
const QUICK_LINES = [
  "tickTime=500",
  "initLimit=20",
  "syncLimit=6",
  "maxClientCnxns=0",
  "preAllocSize=1024",
  "commitLogCount=20000",
];

const QUORUM_MS_MAX = 40_000;

export class Ensemble {
  readonly members: readonly Member[];
  private readonly home: string;

  private constructor(members: readonly Member[], home: string) {
    this.members = members;
    this.home = home;
  }

  /** Prepares directories and configurations; starts nothing. */
  static async prepare(options: EnsembleOptions): Promise<Ensemble> {
    const home = mkdtempSync(join(tmpdir(), "ensemble-"));
    const all = [...options.kinds, ...(options.observers ?? [])];
    const ports = await Promise.all(all.map(() => reserveMemberPorts()));
    return new Ensemble(
      all.map((_, index) => makeMember(index, all, ports, options, home)),
      home,
    );
  }

  get voters(): readonly Member[] {
    return this.members.filter((member) => !member.isObserver);
  }

  get running(): readonly Member[] {
    return this.members.filter((member) => member.isRunning);
  }

  /** Every member's client address: what clients that survive the loss of a server are given. */
  get connectString(): string {
    return this.members.map((member) => member.connectString).join(",");
  }

  member(sid: number): Member {
    const found = this.members[sid - 1];
    if (found === undefined) throw new Error(`there is no server ${sid}`);
    return found;
  }

  async startAll(): Promise<void> {
    await Promise.all(this.members.map((member) => member.start()));
    await this.untilAllServe();
  }

  /**
   * Starts a new ensemble so that this server leads: among servers without data the largest sid of the
   * first quorum wins, so it takes part in that together with smaller ones, and the others come later.
   */
  async startLedBy(sid: number): Promise<void> {
    const quorum = Math.floor(this.voters.length / 2) + 1;
    const helpers = this.voters.filter((voter) => voter.sid < sid).slice(0, quorum - 1);
    if (helpers.length < quorum - 1) throw new Error(`server ${sid} cannot win: too few voters have a smaller sid`);
    const leader = this.member(sid);
    await leader.start();
    await until(`${leader.name} to listen for elections`, () => listens(leader.ports.election), QUORUM_MS_MAX);
    await Promise.all(helpers.map((helper) => helper.start()));
    await leader.untilServing(["leader"], QUORUM_MS_MAX);
    const late = this.members.filter((member) => !member.isRunning);
    await Promise.all(late.map((member) => member.start()));
    await this.untilAllServe();
  }

  /** Waits until every process that runs serves, one of them as the leader. */
  async untilAllServe(deadlineMs = QUORUM_MS_MAX): Promise<void> {
    let views: (ServerView | undefined)[] = [];
    await until(
      "every running server to serve, one of them as leader",
      async () => {
        views = await Promise.all(this.running.map((member) => member.view()));
        return (
          views.every((view) => view !== undefined) && views.filter((view) => view?.mode === "leader").length === 1
        );
      },
      deadlineMs,
      () =>
        `They are: ${this.describe(views)}\n${this.running.map((member) => `${member.name}: ${member.logTail(1500)}`).join("\n")}`,
    );
  }

  /** The running server that says it leads; waits for one. */
  async leader(deadlineMs = QUORUM_MS_MAX): Promise<Member> {
    let found: Member | undefined;
    await until(
      "a leader",
      async () => {
        found = await this.currentLeader();
        return found !== undefined;
      },
      deadlineMs,
      () => this.running.map((member) => `${member.name}: ${member.logTail(1500)}`).join("\n"),
    );
    return found!;
  }

  async currentLeader(): Promise<Member | undefined> {
    const views = await Promise.all(this.running.map((member) => member.view()));
    return this.running.find((_, i) => views[i]?.mode === "leader");
  }

  async followers(): Promise<readonly Member[]> {
    const leader = await this.leader();
    return this.voters.filter((member) => member !== leader && member.isRunning);
  }

  /** Waits until every running server has applied the same last txn, twice in a row. */
  async untilInStep(deadlineMs = QUORUM_MS_MAX): Promise<void> {
    let before = "";
    let views: (ServerView | undefined)[] = [];
    await until(
      "every server to have applied the same",
      async () => {
        views = await Promise.all(this.running.map((member) => viewOf(member.ports.client)));
        const now = views.map((view) => view?.zxid).join(" ");
        // The first zxid of an epoch belongs to no txn: a leader shows it before there is one.
        const latest = Math.max(0, ...views.map((view) => view?.zxid ?? 0).filter((zxid) => zxid % 2 ** 32 > 0));
        const isSame = views.every((view) => view !== undefined && view.zxid >= latest);
        const isStill = now === before;
        before = now;
        return isSame && isStill;
      },
      deadlineMs,
      () => `They are at: ${this.describe(views)}`,
    );
  }

  /** Ends whatever runs and copies logs and data to where they can be looked at. */
  async keep(directory: string): Promise<void> {
    const logs = this.members.map((member) => member.allLogs());
    await Promise.all(this.running.map((member) => member.kill()));
    for (const [i, member] of this.members.entries()) {
      cpSync(member.dataDir, join(directory, `data-${member.sid}`), { recursive: true });
      writeFileSync(join(directory, `log-${member.sid}`), logs[i]!);
    }
  }

  /** Ends whatever runs and removes every directory. */
  async dispose(): Promise<void> {
    await Promise.all(this.running.map((member) => member.kill()));
    rmSync(this.home, { recursive: true, force: true });
  }

  private describe(views: readonly (ServerView | undefined)[]): string {
    return this.running
      .map((member, i) => {
        const view = views[i];
        return `${member.name} ${view === undefined ? "not serving" : `${view.mode} at 0x${view.zxid.toString(16)}`}`;
      })
      .join(", ");
  }
}

async function reserveMemberPorts(): Promise<MemberPorts> {
  const [client, quorum, election] = await reservePorts(3);
  return { client: client!, quorum: quorum!, election: election! };
}

function makeMember(
  index: number,
  kinds: readonly ServerKind[],
  ports: readonly MemberPorts[],
  options: EnsembleOptions,
  home: string,
): Member {
  const sid = index + 1;
  const isObserver = index >= options.kinds.length;
  const dataDir = options.dataDir?.(sid) ?? join(home, `data-${sid}`);
  mkdirSync(dataDir, { recursive: true });
  const seenBy = (target: number): MemberPorts =>
    target === sid ? ports[sid - 1]! : (options.route?.(sid, target) ?? ports[target - 1]!);
  const lines = kinds.map((_, i) => serverLine(i + 1, seenBy(i + 1), i >= options.kinds.length));
  return new Member({
    sid,
    kind: kinds[index]!,
    isObserver,
    ports: ports[index]!,
    dataDir,
    configLines: [
      ...QUICK_LINES,
      ...(options.configLines ?? []),
      ...(isObserver ? ["peerType=observer"] : []),
      ...lines,
    ],
    environment: options.environment?.(sid) ?? {},
  });
}

function serverLine(sid: number, ports: MemberPorts, isObserver: boolean): string {
  return `server.${sid}=127.0.0.1:${ports.quorum}:${ports.election}:${isObserver ? "observer" : "participant"}`;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
