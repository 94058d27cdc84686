/**
 * An obvious ensemble, for the tests of the checker: one list of writes, servers that have applied more
 * or less of it, sessions that ask them. What it records is right by construction, so the checker must
 * pass it, and must not pass it any more once something in it was changed.
 */
import type {
  Answer,
  Call,
  FinalState,
  History,
  Observed,
  Operation,
  WatchEvent,
  Write,
  WriteError,
} from "./history.js";

type Random = (bound: number) => number;
type Tree = ReadonlyMap<string, Observed>;

interface Session {
  readonly name: string;
  sequence: number;
  connection: number;
  arrival: number;
  seen: number;
  server: number;
  readonly watches: Map<string, number>;
}

const SERVERS = 3;

export class ModelEnsemble {
  private readonly random: Random;
  /** The tree after each write; the index is the zxid. */
  private readonly trees: Tree[] = [new Map()];
  private readonly applied = Array.from({ length: SERVERS }, () => 0);
  private readonly sessions: Session[];
  private readonly paths: readonly string[];
  private readonly operations: Operation[] = [];
  private readonly events: WatchEvent[] = [];
  private clock = 0;
  private written = 0;

  /** Of so many writes one is not answered; 0 for none. */
  private readonly unknownOneIn: number;

  constructor(random: Random, sessions: number, paths: number, unknownOneIn: number) {
    this.random = random;
    this.unknownOneIn = unknownOneIn;
    this.paths = Array.from({ length: paths }, (_, i) => `/n${i}`);
    this.sessions = Array.from({ length: sessions }, (_, i) => ({
      name: `s${i}`,
      sequence: 0,
      connection: 0,
      arrival: 0,
      seen: 0,
      server: i % SERVERS,
      watches: new Map(),
    }));
  }

  run(steps: number): History {
    for (let i = 0; i < steps; i++) this.step(this.sessions[this.random(this.sessions.length)]!);
    const last = this.trees.length - 1;
    const finals: FinalState[] = this.applied.map((_, i) => ({ server: `server ${i}`, nodes: this.trees[last]! }));
    return { operations: this.operations, events: this.events, finals };
  }

  private step(session: Session): void {
    const server = this.random(SERVERS);
    this.applied[server] = Math.min(this.trees.length - 1, this.applied[server]! + this.random(4));
    if (this.random(20) === 0) this.reconnect(session);
    const die = this.random(10);
    if (die < 5) this.write(session, this.drawWrites());
    else this.read(session, this.drawPath(), die < 7);
  }

  private drawPath(): string {
    return this.paths[this.random(this.paths.length)]!;
  }

  private drawWrites(): Write[] {
    if (this.random(8) > 0) return [this.drawWrite(this.drawPath())];
    const [first, second] = [this.random(this.paths.length), this.random(this.paths.length)];
    const paths = first === second ? [first] : [first, second];
    return paths.map((path) => this.drawWrite(this.paths[path]!));
  }

  private drawWrite(path: string): Write {
    const node = this.trees.at(-1)!.get(path);
    const version = this.random(3) === 0 ? Math.max(0, (node?.version ?? 0) - this.random(2)) : -1;
    const data = `d${++this.written}`;
    const die = this.random(10);
    if (die < 3) return { kind: "create", path, data };
    return die < 5 ? { kind: "delete", path, version } : { kind: "set", path, data, version };
  }

  private write(session: Session, writes: readonly Write[]): void {
    const invokedAt = ++this.clock;
    const { tree, error } = afterAll(this.trees.at(-1)!, writes, this.trees.length);
    const isUnknown = this.unknownOneIn > 0 && this.random(this.unknownOneIn) === 0;
    // Of an unknown one half never happened.
    if (isUnknown && this.random(2) === 0) {
      this.record(session, { kind: "write", writes }, invokedAt, undefined);
      this.reconnect(session);
      return;
    }
    this.trees.push(tree);
    const zxid = this.trees.length - 1;
    if (isUnknown) {
      this.record(session, { kind: "write", writes }, invokedAt, undefined);
      this.reconnect(session);
      return;
    }
    this.catchUp(session, zxid);
    const answer = { zxid, arrival: ++session.arrival };
    if (error !== undefined) {
      // A failed multi does not say to its session's history which of its writes was at fault.
      this.record(session, { kind: "write", writes }, invokedAt, {
        ...answer,
        error: writes.length > 1 ? "OTHER" : error,
      });
      return;
    }
    const versions = writes.map(({ kind, path }) => (kind === "set" ? tree.get(path)!.version : undefined));
    this.record(session, { kind: "write", writes }, invokedAt, { ...answer, versions });
  }

  private read(session: Session, path: string, watch: boolean): void {
    const invokedAt = ++this.clock;
    const zxid = Math.max(session.seen, this.applied[session.server]!);
    this.catchUp(session, zxid);
    const node = this.trees[zxid]!.get(path);
    this.record(session, { kind: "read", path, watch }, invokedAt, { zxid, arrival: ++session.arrival, node });
    if (watch && node !== undefined && !session.watches.has(path)) session.watches.set(path, zxid);
  }

  /** The session's server applies up to a zxid; its watches fire before anything is answered. */
  private catchUp(session: Session, zxid: number): void {
    this.applied[session.server] = Math.max(this.applied[session.server]!, zxid);
    for (const [path, since] of session.watches) {
      if (!this.changedBetween(path, since, zxid)) continue;
      session.watches.delete(path);
      const { name, connection } = session;
      this.events.push({ session: name, connection, path, arrival: ++session.arrival });
    }
    session.seen = zxid;
  }

  private changedBetween(path: string, since: number, until: number): boolean {
    for (let zxid = since + 1; zxid <= until; zxid++) {
      if (this.trees[zxid]!.get(path) !== this.trees[zxid - 1]!.get(path)) return true;
    }
    return false;
  }

  private reconnect(session: Session): void {
    session.connection += 1;
    session.server = this.random(SERVERS);
    session.watches.clear();
  }

  private record(session: Session, call: Call, invokedAt: number, answer: Answer | undefined): void {
    const { name, connection } = session;
    const returnedAt = answer === undefined ? undefined : ++this.clock;
    this.operations.push({
      session: name,
      sequence: session.sequence++,
      call,
      invokedAt,
      returnedAt,
      answer,
      connection,
    });
  }
}

function afterAll(before: Tree, writes: readonly Write[], zxid: number): { tree: Tree; error: WriteError | undefined } {
  const tree = new Map(before);
  for (const write of writes) {
    const error = apply(tree, write, zxid);
    if (error !== undefined) return { tree: before, error };
  }
  return { tree, error: undefined };
}

function apply(tree: Map<string, Observed>, write: Write, zxid: number): WriteError | undefined {
  const node = tree.get(write.path);
  if (write.kind === "create") {
    if (node !== undefined) return "NODE_EXISTS";
    tree.set(write.path, { data: write.data, version: 0, czxid: zxid, mzxid: zxid });
    return undefined;
  }
  if (node === undefined) return "NO_NODE";
  if (write.version !== -1 && write.version !== node.version) return "BAD_VERSION";
  if (write.kind === "delete") tree.delete(write.path);
  else tree.set(write.path, { ...node, data: write.data, version: node.version + 1, mzxid: zxid });
  return undefined;
}
