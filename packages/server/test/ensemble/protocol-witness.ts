import { crc32 } from "node:zlib";
import { PACKET } from "@watchkeeper/wire";
import type { Replica } from "../../src/replica/index.js";
import type { EpochName, LogBatch } from "../../src/storage/index.js";
import { continuesHistory, counterOf, type EnsembleConfig, epochOf, formatZxid } from "../../src/zab/index.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { PacketTap } from "./packet-tap.js";
import { imageDifference, serverImage } from "./server-image.js";

/**
 * Looks on while servers run, and notes what must never be: the safety properties of the protocol reference
 * (section 16, S1 to S18), as far as they can be seen from outside: on the disks, on the wire between the servers,
 * and in what is served.
 *
 * It knows for itself what is durable: an append counts when the log has said that it is on the disk. What a
 * server says about that is not believed.
 */
export class ProtocolWitness {
  readonly violations: string[] = [];
  /** The last zxid that any server has served: committed, and never to be lost. */
  committed = 0;
  private readonly config: EnsembleConfig;
  /** The end of the history on the disk, of every replica that was made of one. */
  private readonly ends = new WeakMap<Replica, number>();
  /** How far each of them said its log was when it was last looked at. */
  private readonly said = new WeakMap<Replica, number>();
  /** The replica that each server has now, or had before it went. */
  private readonly replicas = new Map<number, Replica>();
  /** Of every txn that was ever logged: what it was. */
  private readonly contents = new Map<number, string>();
  /** Tree and sessions by the zxid at which they were served. */
  private readonly digests = new Map<number, string>();
  /** Who completed discovery in an epoch, and where its own history ended. */
  private readonly leaders = new Map<number, { readonly sid: number; readonly historyZxid: number }>();
  /** What each server has served. */
  private readonly served = new Map<number, number>();
  private readonly epochs = new Map<string, number>();
  /** For whoever looks into a failure: what was served, where it is to be kept. */
  images: Map<number, readonly string[]> | undefined;
  /** Up to here a server's files may say more than their txns: they began with a leader's snapshot, which is ahead of its name. */
  private readonly aheadThrough = new Map<number, number>();

  constructor(config: EnsembleConfig) {
    this.config = config;
  }

  get establishedEpochs(): number {
    return this.leaders.size;
  }

  durableThrough(sid: number): number {
    const replica = this.replicas.get(sid);
    return replica === undefined ? 0 : this.ends.get(replica)!;
  }

  private note(rule: string, sentence: string): void {
    if (this.violations.length < 20) this.violations.push(`${rule}: ${sentence}`);
  }

  // The disk.

  /** A replica was made of what is on a disk, or of a snapshot that will be when it takes its place. */
  onLoaded(replica: Replica, lastZxid: number): void {
    this.ends.set(replica, lastZxid);
  }

  /** Perhaps by a leader's snapshot. */
  onReplaced(sid: number): void {
    this.aheadThrough.set(sid, Number.POSITIVE_INFINITY);
  }

  /** S17, of the disk alone: what a server finds there at its start is what was served at that zxid. */
  onRecovered(sid: number, replica: Replica): void {
    if (replica.lastZxid >= (this.aheadThrough.get(sid) ?? 0)) this.compareState(`recovered by server ${sid}`, replica);
  }

  onDiskReplaced(sid: number): void {
    this.aheadThrough.delete(sid);
    this.replicas.delete(sid);
    this.served.delete(sid);
    for (const name of EPOCHS) this.epochs.delete(`${sid} ${name}`);
  }

  /** The batch is on the server's disk. */
  onLogged(sid: number, replica: Replica, batch: LogBatch): void {
    let last = this.ends.get(replica)!;
    for (let entry = 0; entry < batch.count; entry++) {
      const zxid = batch.zxid(entry);
      if (!continuesHistory(last, zxid))
        this.note("S13", `server ${sid} logged ${formatZxid(zxid)} behind ${formatZxid(last)}`);
      last = zxid;
      const payload = batch.writer.bytes.subarray(batch.payloadStart(entry), batch.payloadEnd(entry));
      const content = `${payload.length} bytes, ${crc32(payload)}`;
      const known = this.contents.get(zxid);
      if (known !== undefined && known !== content)
        this.note("S3", `${formatZxid(zxid)} is ${content} at server ${sid} and ${known} elsewhere`);
      this.contents.set(zxid, content);
    }
    this.ends.set(replica, last);
  }

  private hasQuorum(zxid: number): boolean {
    const holders = [...this.config.voters].filter((sid) => this.durableThrough(sid) >= zxid);
    return this.config.verifier.containsQuorum(new Set(holders));
  }

  // The wire.

  /** For one connection that the server has. */
  tap(server: EnsembleServer): (bytes: Uint8Array) => void {
    const tap = new PacketTap((type, zxid) => this.onSent(server, type, zxid));
    return (bytes) => tap.push(bytes);
  }

  private onSent(server: EnsembleServer, type: number, zxid: number): void {
    this.lookAtReplica(server);
    switch (type) {
      case PACKET.leaderInfo:
        this.requireEpoch(server, "acceptedEpoch", epochOf(zxid), "LEADERINFO");
        return;
      case PACKET.ackEpoch:
        this.requireEpoch(server, "acceptedEpoch", server.epoch, "ACKEPOCH");
        return;
      case PACKET.newLeader:
        this.requireEpoch(server, "currentEpoch", epochOf(zxid), "NEWLEADER");
        this.onNewLeader(server, epochOf(zxid));
        return;
      case PACKET.ack:
        this.onAck(server, zxid);
        return;
      case PACKET.commit:
      case PACKET.inform:
        // What is older was committed with the epoch, or is offered before it is established.
        if (epochOf(zxid) === server.epoch && !this.hasQuorum(zxid))
          this.note("S15", `server ${server.sid} committed ${formatZxid(zxid)}: ${this.holders()}`);
        return;
    }
  }

  /** L11: discovery is completed, and the epoch has its leader. */
  private onNewLeader({ sid }: EnsembleServer, epoch: number): void {
    const known = this.leaders.get(epoch);
    if (known !== undefined) {
      if (known.sid !== sid) this.note("S1", `epoch ${epoch} has the leaders ${known.sid} and ${sid}`);
      return;
    }
    const historyZxid = this.durableThrough(sid);
    this.leaders.set(epoch, { sid, historyZxid });
    if (historyZxid >= this.committed) return;
    const ends = `ends at ${formatZxid(historyZxid)}; ${formatZxid(this.committed)} was committed`;
    this.note("S11", `the history of server ${sid}, leader of epoch ${epoch}, ${ends}`);
  }

  private onAck(server: EnsembleServer, zxid: number): void {
    const durable = this.durableThrough(server.sid);
    if (counterOf(zxid) > 0) {
      if (durable < zxid)
        this.note("S14", `server ${server.sid} acknowledged ${formatZxid(zxid)}, its disk has ${formatZxid(durable)}`);
      return;
    }
    if (!server.writesHistory) return; // which vouches for nothing
    this.requireEpoch(server, "currentEpoch", epochOf(zxid), "the ACK of NEWLEADER");
    const { historyZxid } = this.leaders.get(epochOf(zxid)) ?? { historyZxid: 0 };
    if (durable < historyZxid)
      this.note(
        "S14",
        `server ${server.sid} acknowledged epoch ${epochOf(zxid)} with ${formatZxid(durable)} on its disk, and not ${formatZxid(historyZxid)}`,
      );
  }

  private requireEpoch(server: EnsembleServer, name: EpochName, epoch: number, before: string): void {
    const onDisk = epochOnDisk(server, name);
    if (onDisk < epoch)
      this.note("S14", `server ${server.sid} sent ${before} for epoch ${epoch} with ${name} ${onDisk} on its disk`);
  }

  // What is served.

  /** To be called after every step of the world. */
  look(servers: readonly EnsembleServer[]): void {
    for (const server of servers) this.lookAtReplica(server);
    // Where a test plays the peers, it alone knows what may be served.
    const members = servers.filter(({ process }) => process?.peer !== undefined);
    for (const member of members) if (member.isServing) this.lookAtServing(member);
    this.lookAtQuorums();
  }

  /** S10: what was committed stays on a disk of every quorum, however servers are brought to another's history. */
  private lookAtQuorums(): void {
    const { voters, verifier } = this.config;
    const lacking = [...voters].filter((sid) => this.durableThrough(sid) < this.committed);
    if (verifier.containsQuorum(new Set(lacking)))
      this.note(
        "S10",
        `${formatZxid(this.committed)} was committed, and is on the disks of too few: ${this.holders()}`,
      );
  }

  /** A history gets shorter where a leader has cut it. (The pipeline hears of what is on the disk a moment later than this does.) */
  private lookAtReplica({ sid, process }: EnsembleServer): void {
    const replica = process?.state?.replica;
    if (replica === undefined) return;
    this.replicas.set(sid, replica);
    const { loggedZxid } = replica.pipeline;
    if (loggedZxid < (this.said.get(replica) ?? 0)) this.ends.set(replica, loggedZxid);
    this.said.set(replica, loggedZxid);
  }

  /** What a server in an epoch has applied is committed: it is on a quorum's disks, and the same everywhere. */
  private lookAtServing(server: EnsembleServer): void {
    const { sid, replica, epoch } = server;
    const { lastZxid } = replica;
    const before = this.served.get(sid) ?? -1;
    if (lastZxid === before) return;
    if (lastZxid < before) this.note("S12", `server ${sid} serves ${formatZxid(lastZxid)} after ${formatZxid(before)}`);
    this.served.set(sid, lastZxid);
    if (server.isLeading) this.onNewLeader(server, epoch);
    if (!this.leaders.has(epoch)) this.note("S18", `server ${sid} serves in epoch ${epoch}, which has no leader`);
    if (this.durableThrough(sid) < lastZxid)
      this.note("S14", `server ${sid} serves ${formatZxid(lastZxid)}, and has it not on its disk`);
    if (lastZxid > this.committed) {
      this.committed = lastZxid;
      if (!this.hasQuorum(lastZxid))
        this.note("S15", `server ${sid} applied ${formatZxid(lastZxid)}: ${this.holders()}`);
    }
    // What it had received was ahead of its name, and no longer is.
    if (lastZxid < (this.aheadThrough.get(sid) ?? 0)) this.aheadThrough.set(sid, lastZxid);
    this.digests.set(lastZxid, this.compareState(`at server ${sid}`, replica));
    this.images?.set(lastZxid, serverImage(replica));
  }

  private compareState(where: string, replica: Replica): string {
    const { lastZxid, tree, sessions } = replica;
    const { high, low } = tree.digest;
    const lives = [...sessions.all()].map(({ key, createdTimeoutMs }) => `${key.toString(16)} ${createdTimeoutMs}`);
    const state = `${high.toString(16)}.${low.toString(16)}, sessions ${lives.sort().join(", ")}`;
    const known = this.digests.get(lastZxid);
    const difference = () => `\n${imageDifference(this.images?.get(lastZxid) ?? [], serverImage(replica)).join("\n")}`;
    if (known !== undefined && known !== state)
      this.note("S17", `${formatZxid(lastZxid)} is ${state} ${where}, and was ${known} elsewhere${difference()}`);
    return state;
  }

  /** S2: what a server has promised it does not forget, whatever has happened to it. */
  lookAtEpochs(servers: readonly EnsembleServer[]): void {
    for (const server of servers) {
      if (server.process?.peer === undefined) continue;
      for (const name of EPOCHS) {
        const key = `${server.sid} ${name}`;
        const epoch = epochOnDisk(server, name);
        const before = this.epochs.get(key) ?? -1;
        if (epoch < before) this.note("S2", `${name} of server ${server.sid} was ${before} and is ${epoch}`);
        this.epochs.set(key, epoch);
      }
      const [accepted, current] = [epochOnDisk(server, "acceptedEpoch"), epochOnDisk(server, "currentEpoch")];
      if (current > accepted) this.note("S2", `server ${server.sid} has currentEpoch ${current} above ${accepted}`);
      const last = epochOf(this.durableThrough(server.sid));
      if (last > accepted) this.note("S2", `server ${server.sid} has txns of epoch ${last} above ${accepted}`);
    }
  }

  private holders(): string {
    const all = [...this.config.members.keys()];
    return `on the disks are ${all.map((sid) => `${sid}: ${formatZxid(this.durableThrough(sid))}`).join(", ")}`;
  }
}

const EPOCHS: readonly EpochName[] = ["acceptedEpoch", "currentEpoch"];

/** What a power cut now would leave; -1 for nothing. */
function epochOnDisk(server: EnsembleServer, name: EpochName): number {
  const bytes = server.disk.surviving(`/data/version-2/${name}`);
  return bytes === undefined || bytes.length === 0 ? -1 : Number(Buffer.from(bytes).toString());
}
