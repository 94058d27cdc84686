import { WireError } from "@watchkeeper/wire";
import { ClientPromises } from "../../../../test/checkers/client-promises.js";
import { SeededRandom } from "../../../../test/support/seeded-random.js";
import { type CallLimits, ClientCall } from "../../src/operations/client-call.js";
import { type RequestKind, requests } from "../../src/operations/requests.js";
import { type Delivery, SessionMachine, type WatchListener } from "../../src/session/index.js";
import { type Mischief, SimulatedConnection, SimulatedEnsemble } from "./simulated-ensemble.js";

const SESSION_TIMEOUT_MS = 4000;
const HEAL_MS = 15_000;
const END_MS = 30_000;
/** The most by which the deadline wheel may be late. */
const DEADLINE_SLACK_MS = 8;
/** Time in which a healed network must bring the client back: an attempt, a pause, a handshake. */
const RECOVERY_MS = 3500;
const RECONNECT_DELAY_MS_MAX = 500;
const MISCHIEF: readonly Mischief[] = ["garbage", "oversized frame", "wrong xid", "reply to nobody", "truncated frame"];

interface Link {
  isOpen: boolean;
  /** Bytes vanish from then on, in this direction. */
  swallowsToServer: boolean;
  swallowsToClient: boolean;
  delayMs: number;
  server: SimulatedConnection | undefined;
  /** Streams keep their order: nothing arrives before what was sent earlier. */
  toServerMs: number;
  toClientMs: number;
}

/**
 * One life of a client in simulated time, drawn from a seed: fifteen seconds of a network that refuses,
 * hangs, cuts, swallows, duplicates, and of servers that talk nonsense, then fifteen in which all is well.
 * What must never happen, whatever the script, is checked as it runs; a violation names itself.
 */
export class FaultScript {
  readonly states: string[] = [];
  private readonly promises = new ClientPromises(() => this.nowMs);
  private readonly random: SeededRandom;
  private readonly ensemble = new SimulatedEnsemble();
  private readonly machine: SessionMachine;
  private readonly agenda: { atMs: number; order: number; run: () => void }[] = [];
  private order = 0;
  private nowMs = 0;
  private link: Link | undefined;
  private wasExpired = false;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.machine = new SessionMachine(
      {
        servers: ["one", "two", "three"].slice(0, 1 + this.random.below(3)).map((host) => ({ host, port: 2181 })),
        chroot: "",
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        random: this.random,
        reconnectDelayMsMax: RECONNECT_DELAY_MS_MAX,
      },
      0,
    );
  }

  get violations(): readonly string[] {
    return this.promises.violations;
  }

  run(): void {
    this.plan();
    let mustBeKept = false;
    let isHealed = false;
    while (this.nowMs < END_MS) {
      const nextMs = Math.min(this.agenda[0]?.atMs ?? END_MS, this.machine.nextDeadlineMs, this.nextExpiryMs(), END_MS);
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (!isHealed && this.nowMs >= HEAL_MS) {
        isHealed = true;
        mustBeKept = [...this.ensemble.sessions.values()].some(
          (session) => !session.isExpired && session.expiresAtMs > this.nowMs + RECOVERY_MS,
        );
      }
      this.expireSessions();
      while (this.agenda[0] !== undefined && this.agenda[0].atMs <= this.nowMs) this.agenda.shift()!.run();
      this.tick();
      this.promises.checkDeadlines(DEADLINE_SLACK_MS);
    }
    if (mustBeKept && this.machine.state !== "connected" && this.machine.state !== "lost") {
      this.promises.violate(
        `15 s of a sound network ended in state ${this.machine.state}: ${this.machine.lastProblem}`,
      );
    }
    this.machine.close(this.nowMs);
    this.drain();
    this.machine.onTick(this.nowMs + 10_000);
    this.drain();
    this.promises.checkAllSettled();
  }

  private plan(): void {
    const { random } = this;
    for (let i = 0; i < 12; i++) this.at(random.below(END_MS - 1000), () => this.submit());
    for (let i = 0; i < 6; i++) {
      this.at(random.below(END_MS), () => this.ensemble.write(`/${random.below(3)}`));
    }
    for (let i = 0; i < 5; i++) this.at(random.below(HEAL_MS), () => this.fault());
    this.at(HEAL_MS, () => this.cut()); // what was swallowing or stalling is gone, as after a repair
  }

  private at(atMs: number, run: () => void): void {
    const entry = { atMs, order: this.order++, run };
    let i = this.agenda.length;
    while (i > 0 && this.agenda[i - 1]!.atMs > atMs) i--;
    this.agenda.splice(i, 0, entry);
  }

  private submit(): void {
    const { random } = this;
    const path = `/${random.below(3)}`;
    const limits: CallLimits = {
      timeoutMs: random.chance(0.6) ? 1 + random.below(6000) : 0,
      whenSuspended: random.pick(["fail", "try-all", "wait"] as const),
    };
    if (random.chance(0.4)) this.call(requests.setData, { path, data: null, version: -1 }, path, limits, undefined);
    else if (random.chance(0.5)) this.call(requests.getDataOnly, { path, watch: false }, path, limits, undefined);
    else this.watch(path, limits);
  }

  private watch(path: string, limits: CallLimits): void {
    const listener: WatchListener = (event) => {
      if (event.kind === "dataChanged") this.promises.onEvent(path, this.ensemble.versions.get(path)!.version);
    };
    this.call(requests.getDataOnly, { path, watch: true }, path, limits, listener);
  }

  private call<A, R>(
    kind: RequestKind<A, R>,
    args: A,
    path: string,
    limits: CallLimits,
    listener: WatchListener | undefined,
  ): void {
    const what = `${kind.operation} ${path} of ${this.nowMs} ms (${limits.timeoutMs} ms, ${limits.whenSuspended})`;
    const { promises } = this;
    const promised = promises.begin(what, limits.timeoutMs);
    const settled = (result: unknown): void => {
      promises.settle(promised);
      if (Buffer.isBuffer(result)) promises.onRead(path, Number(result.toString()), listener !== undefined);
    };
    const failed = (): void => promises.settle(promised);
    const watch = listener && ({ kind: "data", path, listener } as const);
    const call = new ClientCall(kind, args, this.machine.chroot, settled, failed, { path, watch }, limits);
    this.machine.submit(call, this.nowMs);
    this.drain();
    if (this.random.chance(0.1)) {
      this.at(this.nowMs + this.random.below(3000), () => {
        this.machine.cancel(call);
        this.drain();
      });
    }
  }

  private fault(): void {
    const { link, random } = this;
    switch (random.below(6)) {
      case 0:
        this.cut();
        break;
      case 1:
        if (link !== undefined) link.swallowsToServer = true;
        break;
      case 2:
        if (link !== undefined) link.swallowsToClient = true;
        break;
      case 3:
        if (link !== undefined) link.delayMs = random.below(5000);
        break;
      case 4:
        if (link?.server !== undefined) link.server.mischief = random.pick(MISCHIEF);
        break;
      default:
        // The server stops reading and closes its side: what it has said still arrives.
        if (link !== undefined) {
          link.swallowsToServer = true;
          this.at(this.nowMs + random.below(2000), () => this.closeFromServer(link));
        }
    }
  }

  private cut(): void {
    const { link } = this;
    if (link?.isOpen) this.closeFromServer(link);
  }

  private closeFromServer(link: Link): void {
    if (!link.isOpen) return;
    this.forget(link);
    if (this.link !== link) return;
    this.link = undefined;
    this.machine.onClosed("connection reset", this.nowMs);
    this.drain();
  }

  private forget(link: Link): void {
    link.isOpen = false;
    if (link.server !== undefined) this.ensemble.connections.delete(link.server);
  }

  private dial(): void {
    const { random } = this;
    const isSound = this.nowMs >= HEAL_MS;
    const link: Link = {
      isOpen: true,
      swallowsToServer: false,
      swallowsToClient: false,
      delayMs: 1 + random.below(isSound ? 5 : 40),
      server: undefined,
      toServerMs: 0,
      toClientMs: 0,
    };
    this.link = link;
    if (!isSound && random.chance(0.1)) return; // a black hole: neither opened nor refused
    const opensMs = this.nowMs + link.delayMs;
    if (!isSound && random.chance(0.25)) {
      this.at(opensMs, () => this.closeFromServer(link));
      return;
    }
    this.at(opensMs, () => {
      if (!link.isOpen) return;
      link.server = new SimulatedConnection(
        this.ensemble,
        (bytes) => this.toClient(link, bytes),
        () => {
          this.ensemble.connections.delete(link.server!);
          this.at(Math.max(link.toClientMs, this.nowMs + link.delayMs), () => this.closeFromServer(link));
        },
      );
      this.machine.onOpened(this.nowMs);
      this.drain();
    });
  }

  private toServer(link: Link, bytes: Uint8Array): void {
    if (link.swallowsToServer) return;
    link.toServerMs = Math.max(link.toServerMs, this.nowMs + link.delayMs);
    this.at(link.toServerMs, () => {
      if (!link.isOpen || link.server === undefined || link.swallowsToServer) return;
      try {
        link.server.receive(bytes, this.nowMs);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.promises.violate(`the client sent what no server can read: ${error.message}`);
      }
    });
  }

  private toClient(link: Link, bytes: Uint8Array): void {
    link.toClientMs = Math.max(link.toClientMs, this.nowMs + link.delayMs);
    const isDoubled = this.nowMs < HEAL_MS && this.random.chance(0.01);
    this.at(link.toClientMs, () => {
      if (!link.isOpen || this.link !== link || link.swallowsToClient) return;
      for (let i = 0; i < (isDoubled ? 2 : 1) && this.link === link; i++) {
        const cut = this.random.below(bytes.length + 1);
        this.machine.onChunk(bytes.subarray(0, cut), this.nowMs);
        this.machine.onChunk(bytes.subarray(cut), this.nowMs);
        this.drain();
      }
    });
  }

  private nextExpiryMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const session of this.ensemble.sessions.values()) {
      if (!session.isExpired) nextMs = Math.min(nextMs, session.expiresAtMs);
    }
    return nextMs;
  }

  private expireSessions(): void {
    for (const session of this.ensemble.expire(this.nowMs)) {
      if (session.id !== this.machine.identity.id) continue; // one whose handshake was never answered
      this.wasExpired = true;
      if (this.machine.aliveUntilMs > this.nowMs) {
        this.promises.violate(
          `the session ended at ${this.nowMs} ms, which the client held certain until ${this.machine.aliveUntilMs}`,
        );
      }
    }
  }

  private tick(): void {
    this.machine.onTick(this.nowMs);
    this.drain();
  }

  private drain(): void {
    for (let out = this.machine.takeOutput(this.nowMs); out !== undefined; out = this.machine.takeOutput(this.nowMs)) {
      if (out.hangUp && this.link !== undefined) {
        this.forget(this.link);
        this.link = undefined;
      }
      if (out.dial !== undefined) this.dial();
      if (out.bytes !== undefined && this.link !== undefined) this.toServer(this.link, out.bytes);
      for (const delivery of out.deliveries) this.deliver(delivery);
    }
  }

  private deliver(delivery: Delivery): void {
    if (delivery.kind === "call") {
      delivery.settle();
      return;
    }
    const { event } = delivery;
    if (event.kind === "session") {
      this.states.push(event.state);
      if (event.state === "lost" && !this.wasExpired) this.promises.violate("a session was lost that could be kept");
    }
    for (const listener of delivery.listeners) listener(event);
  }
}
