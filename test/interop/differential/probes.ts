/**
 * Differences that leave the two servers in different states, each shown once, on a node and on
 * connections of its own that are gone afterwards. They run when the random part is over and nobody
 * else watches.
 */
import * as wire from "@watchkeeper/wire";
import { type Lockstep, plainHandshake } from "./lockstep.js";
import { lengthened, makeMulti, makeRequest, type Request, type RequestValues } from "./request.js";
import { openAcl } from "./request-values.js";

const { OP } = wire;

/** The connections of probes: one that acts, one that is there, one that has no business to be there. */
const actor = 10;
const witness = 11;
const stranger = 12;

/** The node that a probe has for itself. */
const place = "/apart";

/** By the id of the known difference that each shows. */
type Probe = (lockstep: Lockstep) => Promise<void>;

export const probes: ReadonlyMap<string, Probe> = new Map([
  ["opcode-and-flags", opcodeAndFlags],
  ["watch-kinds-coexist", watchKindsCoexist],
  ["ipv6-acl", ipv6Acl],
  ["stranger-with-wrong-password", strangerWithWrongPassword],
  ["session-creation-by-clients", sessionCreationByClients],
  ["empty-path", emptyPath],
  ["relative-path-in-check-watches", relativePathInCheckWatches],
  ["pipelined-set-acl", pipelinedSetAcl],
  ["quota-counted-anew", quotaCountedAnew],
  ["auth-order", authOrder],
  ["acl-duplicates", storedAcls],
  ["close-order", closeOrder],
  ["refused-multi-read", refusedMultiRead],
  ["null-path", nullPath],
  ["null-in-set-watches", nullInSetWatches],
  ["quota-statistics-written", quotaStatisticsWritten],
]);

/** Where quotas are enforced. */
export const quotaProbes: ReadonlyMap<string, Probe> = new Map([["quota-in-multi", quotaInMulti]]);

/** Each probe with new sessions and an empty node, which `caretaker` makes and removes; at its end both servers are in the same state. */
export async function runProbes(
  lockstep: Lockstep,
  caretaker: number,
  which: ReadonlyMap<string, Probe>,
): Promise<void> {
  for (const [id, probe] of which) {
    lockstep.forget(actor);
    lockstep.forget(witness);
    await lockstep.connect(actor);
    await lockstep.connect(witness);
    await lockstep.step(caretaker, [create(place)]);
    lockstep.probe = id;
    await probe(lockstep);
    await lockstep.alignZxids(caretaker);
    lockstep.probe = undefined;
    await lockstep.step(caretaker, [remove(place)]);
    await lockstep.step(witness, [makeRequest(2, OP.closeSession)]);
    await lockstep.step(actor, [makeRequest(2, OP.closeSession)]);
  }
}

function createValues(path: string, more: RequestValues = {}): RequestValues {
  return { path, data: null, acl: openAcl, flags: 0, ...more };
}

function create(path: string, more: RequestValues = {}): Request {
  return makeRequest(1, OP.create, createValues(path, more));
}

function remove(path: string): Request {
  return makeRequest(1, OP.delete, { path, version: -1 });
}

function setData(path: string, text = ""): Request {
  return makeRequest(1, OP.setData, { path, data: wire.encodeText(text), version: -1 });
}

async function opcodeAndFlags(lockstep: Lockstep): Promise<void> {
  const path = `${place}/node`;
  const pairs = [
    [OP.create, 4],
    [OP.create2, 4],
    [OP.createContainer, 0],
    [OP.createContainer, 2],
  ] as const;
  for (const [opcode, flags] of pairs) {
    await lockstep.step(actor, [makeRequest(1, opcode, createValues(path, { flags }))]);
    await lockstep.step(actor, [remove(flags === 2 ? `${path}0000000003` : path)]);
    await lockstep.step(actor, [makeMulti(1, OP.multi, [{ opcode, values: createValues(path, { flags }) }])]);
    await lockstep.step(actor, [remove(path)]);
  }
  const { items } = await lockstep.step(actor, [makeRequest(1, OP.getChildren, { path: place, watch: false })]);
  const reply = items[0];
  const left = reply?.kind === "reply" && Array.isArray(reply.body) ? (reply.body as string[]) : [];
  for (const name of left) await lockstep.step(actor, [remove(`${place}/${name}`)]);
}

async function watchKindsCoexist(lockstep: Lockstep): Promise<void> {
  await lockstep.step(witness, [
    makeRequest(1, OP.addWatch, { path: place, mode: wire.ADD_WATCH_MODE.persistent }),
    makeRequest(2, OP.getData, { path: place, watch: true }),
  ]);
  await lockstep.step(actor, [setData(place)]);
  await lockstep.step(actor, [setData(place)]);
}

async function ipv6Acl(lockstep: Lockstep): Promise<void> {
  for (const id of ["::1", "2001:db8::/32"]) {
    const acl = [{ perms: 31, id: { scheme: "ip", id } }];
    await lockstep.step(actor, [create(`${place}/node`, { acl })]);
    await lockstep.step(actor, [remove(`${place}/node`)]);
  }
}

async function strangerWithWrongPassword(lockstep: Lockstep): Promise<void> {
  await lockstep.connectInto(stranger, actor, { ...plainHandshake, password: "wrong" });
  await lockstep.step(actor, []);
  await lockstep.drop(actor);
  await lockstep.connect(actor);
}

async function sessionCreationByClients(lockstep: Lockstep): Promise<void> {
  const createSession = lengthened(makeRequest(1, OP.createSession), Uint8Array.of(0, 0, 0x75, 0x30));
  await lockstep.step(witness, [createSession]);
  await lockstep.drop(witness);
  await lockstep.connect(witness);
}

async function emptyPath(lockstep: Lockstep): Promise<void> {
  await lockstep.step(witness, [makeRequest(1, OP.getAllChildrenNumber, { path: "" })]);
  await lockstep.step(witness, [makeRequest(1, OP.getChildren, { path: "", watch: true })]);
  await lockstep.step(actor, [create("/apart-too"), remove("/apart-too")]);
}

async function relativePathInCheckWatches(lockstep: Lockstep): Promise<void> {
  await lockstep.step(witness, [
    makeRequest(1, OP.addWatch, { path: place, mode: wire.ADD_WATCH_MODE.persistentRecursive }),
    makeRequest(2, OP.checkWatches, { path: "apart", type: wire.WATCH_TYPE.data }),
    makeRequest(3, OP.getChildren, { path: "apart", watch: true }),
    makeRequest(4, OP.exists, { path: "apart", watch: true }),
    makeRequest(5, OP.checkWatches, { path: "apart", type: wire.WATCH_TYPE.data }),
  ]);
}

/** Whether Apache's server has applied the setACL when it looks at the create is a matter of luck. */
async function pipelinedSetAcl(lockstep: Lockstep): Promise<void> {
  const withoutCreate = [
    { perms: wire.PERMISSIONS.all - wire.PERMISSIONS.create, id: { scheme: "world", id: "anyone" } },
  ];
  for (let i = 0; i < 20; i++) {
    const path = `${place}/${i}`;
    await lockstep.step(actor, [create(path)]);
    await lockstep.step(actor, [
      makeRequest(1, OP.setACL, { path, acl: withoutCreate, version: -1 }),
      makeRequest(2, OP.create, createValues(`${path}/node`)),
    ]);
    await lockstep.step(actor, [remove(`${path}/node`), remove(path)]);
  }
}

async function authOrder(lockstep: Lockstep): Promise<void> {
  for (const user of ["alice:wonder", "bob:pw", "carol:sing", "dave:x", "erin:y"]) {
    const credential = { type: 0, scheme: "digest", auth: wire.encodeText(user) };
    await lockstep.step(actor, [makeRequest(wire.XID.auth, OP.auth, credential)]);
  }
  const acl = [{ perms: wire.PERMISSIONS.all, id: { scheme: "auth", id: "" } }];
  await lockstep.step(actor, [create(`${place}/node`, { acl })]);
  await lockstep.step(actor, [makeRequest(1, OP.getACL, { path: `${place}/node` }), remove(`${place}/node`)]);
}

async function storedAcls(lockstep: Lockstep): Promise<void> {
  const alice = { type: 0, scheme: "digest", auth: wire.encodeText("alice:wonder") };
  await lockstep.step(actor, [makeRequest(wire.XID.auth, OP.auth, alice)]);
  const entry = (perms: number, scheme: string, id: string) => ({ perms, id: { scheme, id } });
  const acls = [
    [entry(31, "auth", ""), entry(31, "auth", "again")],
    [entry(31, "digest", "user:one\ntwo"), entry(1, "world", "anyone")],
  ];
  for (const acl of acls) {
    await lockstep.step(actor, [create(`${place}/node`, { acl })]);
    await lockstep.step(actor, [makeRequest(1, OP.getACL, { path: `${place}/node` }), remove(`${place}/node`)]);
  }
}

async function closeOrder(lockstep: Lockstep): Promise<void> {
  await lockstep.step(witness, [
    makeRequest(1, OP.addWatch, { path: place, mode: wire.ADD_WATCH_MODE.persistentRecursive }),
  ]);
  const names = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
  await lockstep.step(
    actor,
    names.map((name) => create(`${place}/${name}`, { flags: wire.CREATE_FLAGS.ephemeral })),
  );
  await lockstep.step(actor, [makeRequest(1, OP.closeSession)]);
  lockstep.forget(actor);
  await lockstep.connect(actor);
}

async function refusedMultiRead(lockstep: Lockstep): Promise<void> {
  const stranger = { opcode: OP.exists, values: { path: place, watch: false } };
  await lockstep.step(actor, [makeMulti(1, OP.multiRead, [stranger])]);
}

async function nullPath(lockstep: Lockstep): Promise<void> {
  await lockstep.step(actor, [
    makeRequest(1, OP.setData, { path: null, data: null, version: -1 }),
    makeRequest(2, OP.setACL, { path: null, acl: openAcl, version: -1 }),
  ]);
  await lockstep.connect(stranger);
  const watch = makeRequest(1, OP.addWatch, { path: null, mode: wire.ADD_WATCH_MODE.persistent });
  await lockstep.step(stranger, [watch]);
  await leaveWithoutClosing(lockstep);
}

async function nullInSetWatches(lockstep: Lockstep): Promise<void> {
  const none = { existWatches: [], childWatches: [], persistentWatches: [], persistentRecursiveWatches: [] };
  const watches = { ...none, relativeZxid: 2n ** 40n, dataWatches: [place] };
  await lockstep.connect(stranger);
  for (const list of ["existWatches", "persistentWatches"])
    await lockstep.step(stranger, [makeRequest(wire.XID.setWatches, OP.setWatches2, { ...watches, [list]: [null] })]);
  await lockstep.step(actor, [setData(place)]);
  await leaveWithoutClosing(lockstep);
}

/** Apache's server never answers the closeSession of a connection that watches null. */
async function leaveWithoutClosing(lockstep: Lockstep): Promise<void> {
  await lockstep.drop(stranger);
  lockstep.forget(stranger);
}

const quota = `/zookeeper/quota${place}`;

async function quotaCountedAnew(lockstep: Lockstep): Promise<void> {
  const limits = () => create(`${quota}/zookeeper_limits`, { data: wire.encodeText("count=5,bytes=-1") });
  const stats = create(`${quota}/zookeeper_stats`, { data: wire.encodeText("count=0,bytes=0") });
  await lockstep.step(actor, [create(quota), limits(), stats]);
  await lockstep.step(actor, [remove(`${quota}/zookeeper_limits`), create(`${place}/node`)]);
  await lockstep.step(actor, [limits()]);
  await lockstep.step(actor, [makeRequest(1, OP.getData, { path: `${quota}/zookeeper_stats`, watch: false })]);
  await removeQuota(lockstep);
  await lockstep.step(actor, [remove(`${place}/node`)]);
}

async function quotaStatisticsWritten(lockstep: Lockstep): Promise<void> {
  const limits = create(`${quota}/zookeeper_limits`, { data: wire.encodeText("count=5,bytes=-1") });
  const stats = create(`${quota}/zookeeper_stats`, { data: wire.encodeText("count=0,bytes=0") });
  await lockstep.step(actor, [create(quota), limits, stats]);
  await lockstep.step(actor, [setData(`${quota}/zookeeper_stats`, "count=100,bytes=100"), create(`${place}/node`)]);
  await lockstep.step(actor, [makeRequest(1, OP.getData, { path: `${quota}/zookeeper_stats`, watch: false })]);
  await removeQuota(lockstep);
  await lockstep.step(actor, [remove(`${place}/node`)]);
}

async function quotaInMulti(lockstep: Lockstep): Promise<void> {
  const limits = create(`${quota}/zookeeper_limits`, {
    data: wire.encodeText("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2"),
  });
  const stats = create(`${quota}/zookeeper_stats`, { data: wire.encodeText("count=0,bytes=0") });
  await lockstep.step(actor, [create(quota), limits, stats]);
  const names = ["a", "b", "c"];
  const operations = names.map((name) => ({ opcode: OP.create, values: createValues(`${place}/${name}`) }));
  await lockstep.step(actor, [makeMulti(1, OP.multi, operations)]);
  await lockstep.step(
    actor,
    names.map((name) => remove(`${place}/${name}`)),
  );
  await removeQuota(lockstep);
}

async function removeQuota(lockstep: Lockstep): Promise<void> {
  await lockstep.step(actor, [remove(`${quota}/zookeeper_stats`), remove(`${quota}/zookeeper_limits`), remove(quota)]);
}
