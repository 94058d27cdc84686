/**
 * Bursts of requests: mostly such as a client sends, with a part that none would. What is left out here
 * would bring the two servers into different states by a documented difference; each such case has a
 * probe of its own (`probes.ts`) that puts it where its traces can be removed.
 */
import * as wire from "@watchkeeper/wire";
import type { SeededRandom } from "../../support/seeded-random.js";
import { KnownNodes } from "./known-nodes.js";
import {
  bodyBytes,
  lengthened,
  lengthOffsets,
  makeMulti,
  makeRequest,
  noRequest,
  type Request,
  type RequestValues,
  type SubOperation,
  truncated,
  withInt,
} from "./request.js";
import {
  badCredentials,
  childOf,
  containerName,
  familyOf,
  familyParents,
  goodCredentials,
  nameOf,
  openAcl,
  parentForCreate,
  sequentialNames,
  someAcl,
  someData,
  somePath,
  ttlName,
  ttlOf,
} from "./request-values.js";

const { CREATE_FLAGS, OP, XID } = wire;

const burstSizeMax = 12;
const knownNodesMax = 250;

/** What may not stand in a multi. */
const strangersInMulti = [OP.error, 0, OP.exists, OP.setACL, OP.sync, OP.multi, OP.deleteContainer, OP.multiRead, 99];

/** Opcodes that no release knows. */
const unknownOpcodes = [0, 10, -1, 23, 99, 108, 1000, -2, 2 ** 31 - 1, -(2 ** 31)];

export interface GeneratorOptions {
  /** Whether hard quotas are enforced: then quotas are a main subject, and writes come one at a time. */
  readonly withQuotas: boolean;
}

export class RequestGenerator {
  readonly known = new KnownNodes();
  private readonly random: SeededRandom;
  private readonly options: GeneratorOptions;
  private xid = 0;
  /** Where the requests of this burst meet, so that they see each other's changes; empty where they go anywhere. */
  private focus: readonly string[] = [];

  constructor(random: SeededRandom, options: GeneratorOptions) {
    this.random = random;
    this.options = options;
  }

  /** The next requests of a connection, to be sent together. `zxid` is the last that is known. */
  burst(client: number, zxid: bigint): Request[] {
    const { random } = this;
    this.focus = random.chance(0.4) ? familyOf(random, parentForCreate(random, this.known)) : [];
    return random.weighted<() => Request[]>([
      [880, () => this.ordinary(client, zxid)],
      [25, () => Array.from({ length: 1 + random.below(3) }, () => this.goodAuth())],
      [12, () => [...this.ordinary(client, zxid), this.closeSession()]],
      [8, () => [this.closing()]],
      [12, () => this.quotaNodes()],
      [10, () => [this.zxidOfOneSide()]],
      [this.options.withQuotas ? 150 : 0, () => this.quotaNodes()],
    ])();
  }

  /** Nodes for a session that will expire. */
  ephemeralNodes(): Request[] {
    const parents = Array.from({ length: 4 }, () => parentForCreate(this.random, this.known));
    return parents.map((parent) =>
      this.request(OP.create, {
        path: childOf(parent, "e-"),
        data: null,
        acl: openAcl,
        flags: CREATE_FLAGS.ephemeralSequential,
      }),
    );
  }

  private ordinary(client: number, zxid: bigint): Request[] {
    const size = this.options.withQuotas ? 1 : 1 + this.random.below(1 + this.random.below(burstSizeMax));
    const requests: Request[] = [];
    while (requests.length < size) {
      requests.push(this.perhapsDamaged(this.one(client, zxid)));
      // Apache's server lets writes behind a setACL through that the new ACL forbids, as long as it is not applied.
      if (requests.at(-1)!.opcode === OP.setACL) break;
    }
    return requests;
  }

  private one(client: number, zxid: bigint): Request {
    const { random } = this;
    return random.weighted<() => Request>([
      [150, () => this.create()],
      [this.known.paths.length > knownNodesMax ? 250 : 90, () => this.delete()],
      [80, () => this.request(OP.setData, this.setDataValues())],
      [50, () => this.request(OP.setACL, this.setAclValues())],
      [70, () => this.multi()],
      [60, () => this.request(OP.exists, this.watchedRead(client))],
      [70, () => this.request(OP.getData, this.watchedRead(client))],
      [40, () => this.request(OP.getChildren, this.watchedRead(client))],
      [40, () => this.request(OP.getChildren2, this.watchedRead(client))],
      [50, () => this.request(OP.getACL, { path: this.path() })],
      [25, () => this.multiRead()],
      [45, () => this.addWatch(client)],
      [25, () => this.removeWatches(client)],
      [20, () => this.request(OP.checkWatches, this.watchTypeValues())],
      [20, () => this.setWatches(client, zxid)],
      [15, () => this.request(OP.sync, { path: this.path() })],
      [15, () => this.request(OP.whoAmI)],
      [
        15,
        () =>
          this.request(OP.getEphemerals, {
            prefixPath: random.pick([
              null,
              "",
              " ",
              "/",
              "\u0001/\t",
              "/a",
              this.path(),
              this.path()?.slice(0, -1) ?? "a",
            ]),
          }),
      ],
      [15, () => this.request(OP.getAllChildrenNumber, { path: this.path() })],
      [10, () => makeRequest(random.pick([XID.ping, XID.ping, 0, 7, XID.auth]), OP.ping)],
      [5, () => this.reconfig()],
    ])();
  }

  // Writes.

  private create(): Request {
    const { opcode, values } = this.createOperation();
    return this.request(opcode, values);
  }

  private createOperation(): SubOperation {
    const { random } = this;
    const values = { data: someData(random), acl: someAcl(random) };
    const parent = this.parent();
    return random.weighted<() => SubOperation>([
      [10, () => this.createContainer(parent, values)],
      [10, () => this.createTtl(parent, values)],
      [80, () => this.createPlain(parent, values)],
    ])();
  }

  private createContainer(parent: string, values: RequestValues): SubOperation {
    const flags = this.random.chance(0.05) ? this.random.pick([7, -1, 100]) : CREATE_FLAGS.container;
    return { opcode: OP.createContainer, values: { ...values, path: childOf(parent, containerName), flags } };
  }

  private createTtl(parent: string, values: RequestValues): SubOperation {
    const { random } = this;
    const ttl = random.chance(0.1) ? random.pick([0, -1, -5, 2 ** 40, 2 ** 50]) : ttlOf(random);
    const flags = random.pick([CREATE_FLAGS.persistentWithTtl, CREATE_FLAGS.persistentSequentialWithTtl]);
    return {
      opcode: OP.createTTL,
      values: { ...values, path: childOf(parent, `ttl-${ttl}-`), flags, ttl: BigInt(ttl) },
    };
  }

  private createPlain(parent: string, values: RequestValues): SubOperation {
    const { random } = this;
    const opcode = random.pick([OP.create, OP.create, OP.create2]);
    const flags = random.weighted([
      [50, CREATE_FLAGS.persistent],
      [18, CREATE_FLAGS.ephemeral],
      [15, CREATE_FLAGS.persistentSequential],
      [10, CREATE_FLAGS.ephemeralSequential],
      [2, CREATE_FLAGS.persistentWithTtl],
      [2, CREATE_FLAGS.persistentSequentialWithTtl],
      [1, 7],
      [1, -1],
      [1, 2 ** 31 - 1],
    ]);
    const sequential = flags === CREATE_FLAGS.persistentSequential || flags === CREATE_FLAGS.ephemeralSequential;
    const name = sequential ? random.pick(sequentialNames) : nameOf(random);
    const path = random.chance(0.12) ? this.plainPath() : childOf(parent, name);
    return { opcode, values: { ...values, path, flags } };
  }

  /** A path for a node that is neither container nor TTL node. */
  private plainPath(): string | null {
    for (;;) {
      const path = this.path();
      const name = path?.slice(path.lastIndexOf("/") + 1) ?? "";
      if (name !== containerName && !ttlName.test(name) && !path?.startsWith("/zookeeper/quota/")) return path;
    }
  }

  private delete(): Request {
    return this.request(OP.delete, this.deleteValues());
  }

  private deleteValues(): RequestValues {
    let path = this.pathOutsideQuotas();
    for (let i = 0; i < 3 && path !== null && this.known.hasChildren(path); i++) path = this.pathOutsideQuotas();
    return { path, version: this.versionOf(path, "version") };
  }

  private setDataValues(): RequestValues {
    const path = this.pathOutsideQuotas();
    return { path, data: someData(this.random), version: this.versionOf(path, "version") };
  }

  private setAclValues(): RequestValues {
    const path = this.pathOutsideQuotas();
    return { path, acl: someAcl(this.random), version: this.versionOf(path, "aversion") };
  }

  private versionOf(path: string | null, which: "version" | "aversion"): number {
    const right = this.known.nodes.get(path ?? "")?.[which] ?? 0;
    return this.random.weighted([
      [50, -1],
      [30, right],
      [10, right + 1],
      [5, right - 1],
      [5, this.random.pick([-2, 2 ** 31 - 1, -(2 ** 31), 1000])],
    ]);
  }

  private multi(): Request {
    const { random } = this;
    const sizeMax = this.focus.length > 0 ? 16 : 8;
    const size = this.options.withQuotas ? random.below(2) : random.below(1 + random.below(sizeMax));
    const operations = Array.from({ length: size }, () => this.subOperation()).filter(
      ({ values }) => values["path"] !== null,
    );
    if (random.chance(0.04))
      operations.push({ opcode: random.pick([OP.getData, OP.getChildren]), values: this.readValues() });
    if (random.chance(0.03)) operations.push({ opcode: random.pick(strangersInMulti), values: this.setAclValues() });
    // Where Apache's server fails on an operation it forgets to take back what the multi did before, and pipelined
    // requests see it or not, as time will have it: such an operation comes first.
    operations.sort((one, other) => Number(breaksApache(other)) - Number(breaksApache(one)));
    return makeMulti(this.nextXid(), OP.multi, operations);
  }

  private subOperation(): SubOperation {
    const path = this.path();
    return this.random.weighted<() => SubOperation>([
      [40, () => this.createOperation()],
      [20, () => ({ opcode: OP.delete, values: this.deleteValues() })],
      [25, () => ({ opcode: OP.setData, values: this.setDataValues() })],
      [25, () => ({ opcode: OP.check, values: { path, version: this.versionOf(path, "version") } })],
    ])();
  }

  // Reads.

  private readValues(): RequestValues {
    return { path: this.path(), watch: this.random.chance(0.3) };
  }

  private watchedRead(client: number): RequestValues {
    const path = this.path();
    return { path, watch: this.random.chance(0.5) && path !== "" && watchKindOf(client, path) === "once" };
  }

  private multiRead(): Request {
    const { random } = this;
    const operations = Array.from({ length: random.below(6) }, () => ({
      opcode: random.pick([OP.getData, OP.getChildren]),
      values: this.readValues(),
    }));
    const stranger = { opcode: random.pick([OP.exists, OP.delete, OP.getChildren2]), values: this.deleteValues() };
    return makeMulti(this.nextXid(), OP.multiRead, random.chance(0.05) ? [...operations, stranger] : operations);
  }

  private reconfig(): Request {
    const curConfigId = BigInt(this.random.pick([-1, 0, 5]));
    return this.request(OP.reconfig, { joiningServers: null, leavingServers: "1", newMembers: null, curConfigId });
  }

  // Watches.

  private addWatch(client: number): Request {
    const { random } = this;
    if (random.chance(0.05))
      return this.request(OP.addWatch, { path: this.watchedPath(), mode: random.pick([2, -1, 3, 100]) });
    for (;;) {
      const path = this.watchedPath();
      const kind = watchKindOf(client, path);
      if (kind !== "once") return this.request(OP.addWatch, { path, mode: kind === "recursive" ? 1 : 0 });
    }
  }

  /** Not "", which is the root here and nothing there. */
  private watchedPath(): string | null {
    return this.path() || "/";
  }

  private watchTypeValues(): RequestValues {
    return {
      path: this.watchedPath(),
      type: this.random.weighted([
        [30, 1],
        [30, 2],
        [30, 3],
        [4, 4],
        [4, 5],
        [1, 0],
        [1, 6],
        [1, -1],
      ]),
    };
  }

  private removeWatches(client: number): Request {
    const values = this.watchTypeValues();
    const path = values["path"] as string | null;
    const type = watchKindOf(client, path) === "once" || (values["type"] as number) > 3 ? values["type"] : 3;
    return this.request(OP.removeWatches, { path, type });
  }

  private setWatches(client: number, zxid: bigint): Request {
    const { random } = this;
    const paths = (kind: WatchKind) =>
      Array.from({ length: random.below(5) }, () => this.watchedPath()).filter(
        (path) => path !== null && watchKindOf(client, path) === kind,
      );
    const relativeZxid = random.pick([0n, zxid, zxid > 40n ? zxid - 40n : 0n, zxid + 1000n, -1n]);
    const values = {
      relativeZxid,
      dataWatches: paths("once"),
      existWatches: paths("once"),
      childWatches: paths("once"),
    };
    if (random.chance(0.4)) return makeRequest(XID.setWatches, OP.setWatches, values);
    const persistent = { persistentWatches: paths("persistent"), persistentRecursiveWatches: paths("recursive") };
    return makeRequest(XID.setWatches, OP.setWatches2, { ...values, ...persistent });
  }

  // Sessions, credentials, and what is no request.

  private goodAuth(): Request {
    const credentials = this.random.chance(0.15) ? ([["digest", "super:pw"]] as const) : goodCredentials;
    return authRequest(this.random.chance(0.1) ? this.nextXid() : XID.auth, ...this.random.pick(credentials));
  }

  private closeSession(): Request {
    const request = this.request(OP.closeSession);
    return this.random.chance(0.1) ? lengthened(request, Uint8Array.of(1, 2, 3)) : request;
  }

  /** Ends the connection on both servers or on Apache's; what was sent before it may be lost there, so it comes alone. */
  private closing(): Request {
    const { random } = this;
    return random.weighted<() => Request>([
      [15, () => authRequest(XID.auth, ...random.pick(badCredentials))],
      [5, () => this.undecodableAuth()],
      [15, () => this.request(random.pick(unknownOpcodes))],
      [12, () => this.request(OP.sasl, { token: random.pick([null, new Uint8Array(0), new Uint8Array([1, 2])]) })],
      [10, () => noRequest(random.pick(noRequests), "no frame with a request")],
    ])();
  }

  private undecodableAuth(): Request {
    const request = this.goodAuth();
    return truncated(request, 1 + this.random.below(bodyBytes(request)));
  }

  /** What takes a zxid on one of the servers only, and so comes alone: operations that servers make for themselves, and a reconfig that cannot be read. */
  private zxidOfOneSide(): Request {
    const path = this.path();
    return this.random.weighted<() => Request>([
      [3, () => this.request(OP.check, { path, version: this.versionOf(path, "version") })],
      [2, () => this.request(OP.deleteContainer)],
      [2, () => truncated(this.reconfig(), 1 + this.random.below(20))],
      [2, () => makeMulti(this.nextXid(), OP.multi, [{ opcode: OP.check, values: { path: null, version: -1 } }])],
    ])();
  }

  private perhapsDamaged(request: Request): Request {
    const { random } = this;
    const length = bodyBytes(request);
    if (length === 0 || request.opcode === OP.reconfig || !random.chance(0.03)) return request;
    return random.weighted<() => Request>([
      [50, () => truncated(request, 1 + random.below(length))],
      [
        20,
        () =>
          lengthened(
            request,
            Uint8Array.from({ length: 1 + random.below(20) }, () => random.below(256)),
          ),
      ],
      [
        canTakeAnyInt(request) ? 50 : 0,
        () => withInt(request, random.pick(lengthOffsets(request)), random.pick(badLengths)),
      ],
    ])();
  }

  // Quotas.

  /** A quota for a directory near the root, with or without its statistics, or a change to one. */
  private quotaNodes(): Request[] {
    const { random } = this;
    const covered = random.pick(coveredByQuotas);
    const quota = `/zookeeper/quota${covered}`;
    const acl = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
    const create = (path: string, text: string) =>
      this.request(OP.create, { path, data: wire.encodeText(text), acl, flags: 0 });
    const limits = () =>
      this.options.withQuotas ? hardLimits(random) : `count=${random.below(20)},bytes=${random.below(500)}`;
    return random.weighted<() => Request[]>([
      [
        40,
        () => [
          create(parentOf(quota), ""),
          create(quota, ""),
          create(`${quota}/zookeeper_limits`, limits()),
          create(`${quota}/zookeeper_stats`, "count=0,bytes=0"),
        ],
      ],
      [20, () => [this.request(OP.getData, { path: `${quota}/zookeeper_stats`, watch: false })]],
      [
        10,
        () => [
          this.request(OP.setData, { path: `${quota}/zookeeper_limits`, data: wire.encodeText(limits()), version: -1 }),
        ],
      ],
      [
        10,
        () => [
          this.request(OP.delete, { path: `${quota}/zookeeper_stats`, version: -1 }),
          this.request(OP.delete, { path: `${quota}/zookeeper_limits`, version: -1 }),
        ],
      ],
      [5, () => [this.request(OP.getData, { path: `${quota}/zookeeper_limits`, watch: false })]],
    ])();
  }

  private path(): string | null {
    if (this.focus.length > 0 && this.random.chance(0.8)) return this.random.pick(this.focus);
    return somePath(this.random, this.known);
  }

  private parent(): string {
    if (this.options.withQuotas && this.random.chance(0.5)) return this.random.pick(coveredByQuotas);
    if (this.focus.length > 0 && this.random.chance(0.8)) return this.random.pick(this.focus.slice(0, familyParents));
    return parentForCreate(this.random, this.known);
  }

  /** Texts of quotas are written with care elsewhere: Apache's server stops for good at some that are no quota. */
  private pathOutsideQuotas(): string | null {
    for (;;) {
      const path = this.path();
      if (path === null || !path.startsWith("/zookeeper/quota/")) return path;
    }
  }

  private request(opcode: number, values: RequestValues = {}): Request {
    return makeRequest(this.nextXid(), opcode, values);
  }

  private nextXid(): number {
    if (this.random.chance(0.02))
      return this.random.pick([0, -3, 1, 2 ** 31 - 1, -(2 ** 31), XID.auth, XID.setWatches]);
    this.xid += 1;
    return this.xid;
  }
}

export type WatchKind = "once" | "persistent" | "recursive";

/**
 * The one kind of watch that a connection uses at a path. Up to 3.8 a connection has one watch at a path,
 * whose kind is that of the latest registration; since 3.9 the kinds are independent. As long as they
 * are not mixed, both do the same.
 */
export function watchKindOf(client: number, path: string | null): WatchKind {
  let hash = client + 1;
  for (let i = 0; i < (path?.length ?? 0); i++) hash = (Math.imul(hash, 31) + path!.charCodeAt(i)) >>> 0;
  const kinds = ["once", "once", "persistent", "recursive", "once"] as const;
  return kinds[(hash >>> 3) % kinds.length]!;
}

/** A damaged path must not bring watches to where they are not expected. */
function canTakeAnyInt({ opcode, operations, values }: Request): boolean {
  const isOfWatches = opcode === OP.addWatch || opcode === OP.removeWatches || opcode === OP.checkWatches;
  return operations.length === 0 && !isOfWatches && values["watch"] === undefined;
}

function authRequest(xid: number, scheme: string | null, credential: string | null): Request {
  const auth = credential === null ? null : wire.encodeText(credential);
  return makeRequest(xid, OP.auth, { type: 0, scheme, auth });
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Where quotas are set. */
const coveredByQuotas = ["/a", "/b", "/c", "/a/b"];

function hardLimits(random: SeededRandom): string {
  const count = random.pick([-1, 1, 3, 10]);
  const bytes = random.pick([-1, 0, 30, 200]);
  return `count=${random.pick([-1, 2])},bytes=${random.pick([-1, 10])}=;byteHardLimit=${bytes};countHardLimit=${count}`;
}

const badLengths = [-2, -1, 0, 1, 2 ** 31 - 1, -(2 ** 31), 1 << 20, 100];

const noRequests: readonly Uint8Array[] = [
  Uint8Array.of(0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x80, 0, 0, 0),
  Uint8Array.of(0x7f, 0xff, 0xff, 0xff),
  Uint8Array.of(0, 0x10, 0, 0),
  Uint8Array.of(0, 0, 0, 0),
  Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 1),
  Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0),
];

/** See "ttl-flags-in-multi" and "null-in-acl" of the known differences. */
function breaksApache({ opcode, values }: SubOperation): boolean {
  const { flags, acl } = values as {
    readonly flags?: number;
    readonly acl?: readonly { readonly id: unknown }[] | null;
  };
  if ((opcode === OP.create || opcode === OP.create2) && (flags === 5 || flags === 6)) return true;
  return Array.isArray(acl) && acl.some((entry) => JSON.stringify(entry).includes("null"));
}
