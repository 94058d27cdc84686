/**
 * Anything at all on the ports between the servers: connections are closed, the leader and its epoch stay,
 * a client that writes through every server notices nothing, memory stays bounded.
 */
import { connect } from "node:net";
import { disagreements } from "../../../interop/ensemble/support/agreement.js";
import { Ensemble } from "../../../interop/ensemble/support/ensemble.js";
import { fourLetterWord } from "../../../interop/ensemble/support/four-letter-words.js";
import type { Member } from "../../../interop/ensemble/support/member.js";
import { kindsOf } from "../../../interop/ensemble/support/mix.js";
import { SeededRandom } from "../../../support/seeded-random.js";
import { ControlClient } from "../../support/control-client.js";
import { type FaultReport, type Progress, withProgress } from "../../support/fault-report.js";
import { MemoryWatch } from "../../support/process-memory.js";
import { MessageMutator } from "./message-mutator.js";

export interface BadInputOptions {
  readonly kinds: string;
  /** On each of the two ports of every server together. */
  readonly messages: number;
  readonly seed: number;
}

const ATTACKERS = 8;
/** Between the last byte sent and the end by our side, where the server does not close. */
const PATIENCE_MS = 15;
const CONTROL_MS_MAX = 3_000;
const GROWTH_MIB_MAX = 300;

export async function badInput(options: BadInputOptions, progress: Progress): Promise<FaultReport> {
  const ensemble = await Ensemble.prepare({ kinds: kindsOf(options.kinds) });
  const faults: string[] = [];
  const memories: MemoryWatch[] = [];
  try {
    await ensemble.startAll();
    const leader = await ensemble.leader();
    const control = await ControlClient.start(ensemble.member(1).ports.client);
    // The client has written: the last zxid is of this epoch.
    const epoch = epochOf((await leader.view())!.zxid);
    memories.push(...ensemble.members.map((member) => new MemoryWatch(member.pid)));
    const attack = new Attack(ensemble, options);
    await attack.run(progress);
    await control.stop();
    for (const member of ensemble.members) faults.push(...(await standing(member)));
    if ((await ensemble.currentLeader()) !== leader) faults.push(`${leader.name} does not lead any more`);
    const now = epochOf((await (await ensemble.leader()).view())!.zxid);
    if (now !== epoch) faults.push(`the epoch was ${epoch} and is ${now}: there was an election`);
    faults.push(...control.faults);
    if (control.latency(1) > CONTROL_MS_MAX)
      faults.push(`the control client once waited ${control.latency(1).toFixed(0)} ms`);
    for (const [i, memory] of memories.entries())
      if (memory.maxMiB - memory.startMiB > GROWTH_MIB_MAX)
        faults.push(`${ensemble.members[i]!.name} grew from ${memory.startMiB} to ${memory.maxMiB} MiB`);
    faults.push(...(await electionAfterwards(ensemble, leader)));
    const summary = `${options.kinds}, seed ${options.seed}: ${attack.summary}; ${control.summary}`;
    return { summary, faults };
  } finally {
    for (const memory of memories) memory.stop();
    await ensemble.dispose();
  }
}

/** Whoever was confused by what it heard would take no part in this. */
async function electionAfterwards(ensemble: Ensemble, leader: Member): Promise<string[]> {
  try {
    await leader.kill();
    await ensemble.untilAllServe();
    await leader.start();
    await ensemble.untilAllServe();
    // The control client's nodes are closed to others.
    return await disagreements(ensemble, ["/control"]);
  } catch (error) {
    return [`the election afterwards failed: ${error}`];
  }
}

async function standing(member: Member): Promise<string[]> {
  const answer = await fourLetterWord(member.ports.client, "ruok");
  return answer === "imok" ? [] : [`${member.name} does not answer any more. ${member.logTail()}`];
}

function epochOf(zxid: number): number {
  return Math.floor(zxid / 2 ** 32);
}

class Attack {
  private readonly ensemble: Ensemble;
  private readonly options: BadInputOptions;
  private readonly random: SeededRandom;
  private readonly mutator: MessageMutator;
  private sent = 0;
  private closedByServer = 0;
  private refused = 0;

  constructor(ensemble: Ensemble, options: BadInputOptions) {
    this.ensemble = ensemble;
    this.options = options;
    this.random = new SeededRandom(options.seed);
    // A configuration it cannot parse ends the receiver of Apache's elections for good (3.8.0 and later): it
    // is spared those, or the run would show that and nothing else.
    const isForApache = ensemble.members.some(({ kind }) => kind === "apache");
    this.mutator = new MessageMutator(this.random, isForApache ? undefined : configText(ensemble));
  }

  get summary(): string {
    return `${this.sent} messages, ${this.closedByServer} connections closed by the servers, ${this.refused} refused`;
  }

  async run(progress: Progress): Promise<void> {
    const wanted = 2 * this.options.messages;
    const attackers = Array.from({ length: ATTACKERS }, async () => {
      while (this.sent < wanted) {
        this.sent += 1;
        await this.attackOnce(this.sent % 2 === 0);
      }
    });
    await withProgress(Promise.all(attackers), () => progress(this.summary));
  }

  /** The quorum port is open on the leader only: elsewhere the connection is refused, as it should be. */
  private async attackOnce(isElection: boolean): Promise<void> {
    const { ports } = this.random.pick(this.ensemble.members);
    const bytes = isElection ? this.mutator.election() : this.mutator.quorum();
    const ending = await sendAndWait(isElection ? ports.election : ports.quorum, bytes);
    if (ending === "closed") this.closedByServer += 1;
    if (ending === "refused") this.refused += 1;
  }
}

function configText(ensemble: Ensemble): string {
  const lines = ensemble.members.map(
    ({ sid, ports }) => `server.${sid}=127.0.0.1:${ports.quorum}:${ports.election}:participant`,
  );
  return [...lines, "version=0"].join("\n");
}

function sendAndWait(port: number, bytes: Buffer): Promise<"closed" | "refused" | "left"> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let ending: "closed" | "refused" | "left" = "closed";
    let patience: NodeJS.Timeout | undefined;
    socket.on("connect", () => {
      socket.write(bytes);
      patience = setTimeout(() => {
        ending = "left";
        socket.destroy();
      }, PATIENCE_MS);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") ending = "refused";
    });
    socket.on("data", () => {});
    socket.on("close", () => {
      clearTimeout(patience);
      resolve(ending);
    });
  });
}
