/**
 * One session and the subtree it alone writes to. It sends without waiting, keeps what was answered and
 * what was not, and after a crash holds the tree against both: everything answered must be there, and of
 * the rest the first few writes, each wholly.
 */

import type { SeededRandom } from "../../support/seeded-random.js";
import { JuteReader, type SessionKey } from "../support/jute.js";
import { ConnectionLost, RawClient, SessionRefused } from "../support/raw-client.js";
import { dumpTree, type TreeDump } from "../support/tree-dump.js";
import { LaneModel, type LaneWrite, type Outcome } from "./lane-model.js";
import { encodeWrite, LaneWrites } from "./lane-writes.js";

const UNANSWERED_MAX = 24;

export class Lane {
  readonly root: string;
  acknowledged = 0;
  /** Of the last crash: writes that were not answered and are there nonetheless. */
  keptUnanswered = 0;
  private readonly random: SeededRandom;
  private readonly writes: LaneWrites;
  private client: RawClient | undefined;
  private session: SessionKey | undefined;
  /** As answered, and as it will be when everything sent has been done. */
  private known = new LaneModel();
  private sent = new LaneModel();
  private readonly unanswered: LaneWrite[] = [];
  private readonly faults: string[] = [];
  private closingMayBeDone = false;

  constructor(random: SeededRandom, number: number) {
    this.random = random;
    this.root = `/kill/lane${number}`;
    this.writes = new LaneWrites(random, this.root);
  }

  /** Opens a session, or goes on with the one there is. */
  async connect(port: number): Promise<void> {
    const resumed = this.session;
    this.client = await RawClient.open({ port, ...(resumed === undefined ? {} : { session: resumed }) });
    if (resumed !== undefined && this.client.session.id !== resumed.id) throw new Error("another session was opened");
    this.session = this.client.session;
    this.known.sessionIsOpen = true;
    this.sent.sessionIsOpen = true;
    if (this.known.nodes.size > 0) return;
    void this.send({ kind: "create", path: this.root, data: "", flags: 0 });
  }

  /** Writes until the connection is lost, or `count` writes were sent and answered. */
  async load(count = Number.POSITIVE_INFINITY): Promise<void> {
    const underWay = new Set<Promise<void>>();
    for (let sent = 0; sent < count && this.client?.isOpen === true && this.sent.sessionIsOpen; sent++) {
      const closing = count === Number.POSITIVE_INFINITY && this.random.chance(0.0005);
      const write = this.send(closing ? { kind: "closeSession" } : this.writes.next(this.sent));
      underWay.add(write);
      void write.finally(() => underWay.delete(write));
      if (underWay.size >= UNANSWERED_MAX) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  }

  private async send(write: LaneWrite): Promise<void> {
    this.unanswered.push(write);
    const expected = this.sent.apply(write);
    const { opcode: type, body } = encodeWrite(write);
    try {
      const reply = await this.client!.request(type, body);
      this.acknowledged += 1;
      this.unanswered.shift();
      this.known.apply(write, reply.zxid);
      const fault = faultOf(write, expected, reply);
      if (fault !== undefined) this.faults.push(`${this.root}: ${fault}`);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
  }

  /**
   * Holds the tree of a server that has come back against what this lane was told.
   * @returns what is wrong, nothing where all is well
   */
  async verify(reader: RawClient): Promise<string[]> {
    this.client?.destroy();
    const dump = await dumpTree(reader, this.root);
    const candidate = this.known.copy();
    const { id } = this.session!;
    const lost: string[] = [];
    for (let kept = 0; ; kept++) {
      const difference = candidate.differenceFrom(dump, id);
      if (difference === undefined) {
        this.closingMayBeDone = this.closingLeavesNoTrace(candidate, kept, dump);
        this.settle(candidate, kept);
        return this.faults.splice(0);
      }
      lost.push(difference);
      const next = this.unanswered[kept];
      if (next === undefined) break;
      candidate.apply(next);
    }
    const explained = `${this.unanswered.length} unanswered writes do not explain it; without them: ${lost[0]}, with all: ${lost.at(-1)}`;
    return [...this.faults.splice(0), `${this.root}: the tree is not what was acknowledged (${explained})`];
  }

  /** Whether the session's closing is among the unanswered and, with no ephemeral left to remove, cannot be seen in the tree. */
  private closingLeavesNoTrace(candidate: LaneModel, kept: number, dump: TreeDump): boolean {
    const further = candidate.copy();
    for (const write of this.unanswered.slice(kept)) further.apply(write);
    return !further.sessionIsOpen && further.differenceFrom(dump, this.session!.id) === undefined;
  }

  private settle(candidate: LaneModel, kept: number): void {
    this.keptUnanswered = kept;
    this.known = candidate;
    this.sent = candidate.copy();
    this.unanswered.length = 0;
  }

  /** After `verify`: goes on with the session where it must still be there, else makes sure that it is gone. */
  async resume(port: number): Promise<string[]> {
    if (this.known.sessionIsOpen) {
      try {
        await this.connect(port);
        return [];
      } catch (error) {
        if (!(error instanceof SessionRefused)) throw error;
        if (!this.closingMayBeDone) {
          return [`${this.root}: its session was refused after the restart, though it was never closed`];
        }
      }
    }
    try {
      const revived = await RawClient.open({ port, session: this.session! });
      revived.destroy();
      return [`${this.root}: its session lives after the restart, though its closing was carried out`];
    } catch (error) {
      if (!(error instanceof SessionRefused)) throw error;
    }
    this.session = undefined;
    await this.connect(port);
    return [];
  }

  /** Whether another server, on a copy of the data, lets the session go on too. */
  async canResume(port: number): Promise<boolean> {
    if (!this.known.sessionIsOpen || this.closingMayBeDone || this.session === undefined) return true;
    try {
      (await RawClient.open({ port, session: this.session })).destroy();
      return true;
    } catch (error) {
      if (error instanceof SessionRefused) return false;
      throw error;
    }
  }

  disconnect(): void {
    this.client?.destroy();
  }
}

/** What is wrong with a reply; undefined where it is the expected one. */
function faultOf(write: LaneWrite, expected: Outcome, reply: { err: number; body: Buffer }): string | undefined {
  const what = `${write.kind} ${"path" in write ? write.path : ""}`;
  if (write.kind === "multi") {
    const first = new JuteReader(reply.body).int();
    const failed = reply.err !== 0 || (first === -1 && write.parts.length > 0);
    if (failed !== (expected.err !== 0)) return `${what} ${failed ? "failed" : "succeeded"}, unexpectedly`;
    return undefined;
  }
  if (reply.err !== expected.err) return `${what} was answered with ${reply.err}, expected ${expected.err}`;
  if (write.kind !== "create" || expected.createdPath === undefined) return undefined;
  const created = new JuteReader(reply.body).text();
  return created === expected.createdPath ? undefined : `${what} made ${created}, expected ${expected.createdPath}`;
}
