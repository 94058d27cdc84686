/**
 * Every way in which Watchkeeper's answers differ from those of Apache's server 3.8.0, on purpose. The
 * comparison accepts nothing else, and fails too when an entry is never met: so the table stays true,
 * and the compatibility page is printed from it.
 */
import * as wire from "@watchkeeper/wire";
import type { Difference } from "./difference.js";
import type { MultiResult, ReplyItem } from "./reply.js";
import type { RequestValues, SubOperation } from "./request.js";

const { ERR, OP } = wire;
const OK = 0;

export interface KnownDifference {
  readonly id: string;
  /** For the compatibility page. */
  readonly explanation: string;
  /** As narrow as can be: exactly this difference, and nothing beside it. */
  readonly explains: (difference: Difference) => boolean;
  /**
   * What must be done so that both servers are in the same state again: take up the session on a new
   * connection, remove the watches at the path, or catch up with zxids.
   */
  readonly after?: "reattach" | "removeWatches" | "alignZxids";
  /** Too rare to be met in every run. */
  readonly isRare?: true;
}

/** The two errors, as `[Apache's, Watchkeeper's]`, of the replies to a request, which agree in all else but the body. */
function errors(difference: Difference): readonly [number, number] | undefined {
  if (difference.aspect !== "reply") return undefined;
  const { apache, watchkeeper } = difference;
  if (apache === undefined || watchkeeper === undefined) return undefined;
  if (apache.xid !== watchkeeper.xid || apache.zxid !== watchkeeper.zxid) return undefined;
  return [apache.err, watchkeeper.err];
}

function answers(difference: Difference, opcodes: readonly number[], apache: number, watchkeeper: number): boolean {
  if (difference.aspect !== "reply" || !opcodes.includes(difference.request?.opcode ?? 0)) return false;
  const pair = errors(difference);
  return pair !== undefined && pair[0] === apache && pair[1] === watchkeeper;
}

function burstHas(difference: Difference, opcode: number): boolean {
  return difference.requests.some((request) => request.opcode === opcode);
}

/** A reply that is the same but for a zxid higher by one on the server that gave one out in this step. */
function isAheadByOne(difference: Difference, ahead: "apache" | "watchkeeper"): boolean {
  if (difference.aspect !== "reply") return false;
  const { apache, watchkeeper } = difference;
  if (apache === undefined || watchkeeper === undefined) return false;
  const zxid = (BigInt(watchkeeper.zxid) + (ahead === "apache" ? 1n : -1n)).toString();
  return JSON.stringify({ ...watchkeeper, zxid }) === JSON.stringify(apache);
}

/** The results of two multis that both succeeded or both tell an error operation by operation. */
function multiResults(difference: Difference): readonly [readonly MultiResult[], readonly MultiResult[]] | undefined {
  if (!answers(difference, [OP.multi], 0, 0) || difference.aspect !== "reply") return undefined;
  const apache = difference.apache?.body;
  const watchkeeper = difference.watchkeeper?.body;
  return Array.isArray(apache) && Array.isArray(watchkeeper) ? [apache, watchkeeper] : undefined;
}

function pathOnly(result: MultiResult): MultiResult {
  const { path } = result.body as { readonly path: string };
  return { type: OP.create, err: result.err, body: { path } };
}

/** Watchkeeper's answer to a request that only servers make for themselves; it stands alone in its burst. */
function isRefused(difference: Difference, opcode: number): boolean {
  return (
    difference.aspect === "reply" &&
    burstHas(difference, opcode) &&
    difference.watchkeeper?.err === ERR.UNIMPLEMENTED &&
    difference.watchkeeper.zxid === "-1"
  );
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    id: "event-zxid",
    explanation:
      "A watch event carries the zxid of the transaction that fired it, as since 3.9.0; up to 3.8 it carries -1.",
    explains: (difference) =>
      difference.aspect === "event" &&
      difference.apache?.zxid === "-1" &&
      difference.watchkeeper !== undefined &&
      BigInt(difference.watchkeeper.zxid) > 0n &&
      JSON.stringify({ ...difference.watchkeeper, zxid: "-1" }) === JSON.stringify(difference.apache),
  },
  {
    id: "close-order",
    explanation:
      "When a session closes, its ephemeral nodes are deleted in the order of their creation; Apache's order is that of a hash table. The events are the same.",
    explains: (difference) => difference.aspect === "event order",
    isRare: true,
  },
  {
    id: "exists-needs-read",
    explanation:
      "exists needs READ on the node, as since 3.8.4 and 3.9.2; before, it told everybody of every node. No watch is set where it is refused.",
    explains: (difference) => answers(difference, [OP.exists], OK, ERR.NO_AUTH),
    after: "removeWatches",
  },
  {
    id: "create2-in-multi",
    explanation:
      "create2 in a multi answers with path and Stat (result type 15), as since 3.8.2; 3.8.0 answers it like create.",
    explains: (difference) => {
      const results = multiResults(difference);
      if (results === undefined) return false;
      const [apache, watchkeeper] = results;
      const asApache = watchkeeper.map((result, i) =>
        result.type === OP.create2 && apache[i]?.type === OP.create ? pathOnly(result) : result,
      );
      return JSON.stringify(asApache) === JSON.stringify(apache);
    },
  },
  {
    id: "bad-flags-in-multi",
    explanation:
      "A create flag that does not exist makes the whole multi MARSHALLING_ERROR, as since 3.8.2; 3.8.0 answers BAD_ARGUMENTS in the operation's place. Nothing is applied either way.",
    explains: (difference) =>
      answers(difference, [OP.multi], OK, ERR.MARSHALLING_ERROR) &&
      difference.aspect === "reply" &&
      difference.request!.operations.some(
        ({ values }) => (values["flags"] as number) < 0 || (values["flags"] as number) > 6,
      ),
  },
  {
    id: "watch-types-4-and-5",
    explanation:
      "removeWatches and checkWatches take the types 4 (persistent) and 5 (persistent recursive), as since 3.9.0; 3.8 answers MARSHALLING_ERROR.",
    explains: (difference) =>
      difference.aspect === "reply" &&
      [4, 5].includes(difference.request?.values["type"] as number) &&
      (answers(difference, [OP.removeWatches, OP.checkWatches], ERR.MARSHALLING_ERROR, OK) ||
        answers(difference, [OP.removeWatches, OP.checkWatches], ERR.MARSHALLING_ERROR, ERR.NO_WATCHER)),
    after: "removeWatches",
  },
  {
    id: "own-watches-only",
    explanation:
      "checkWatches asks for watches of the connection itself and of the kind it names, as since 3.9.0; 3.8 says yes when any connection has any watch at the path.",
    explains: (difference) =>
      difference.aspect === "reply" &&
      [1, 2, 3].includes(difference.request?.values["type"] as number) &&
      answers(difference, [OP.checkWatches], OK, ERR.NO_WATCHER),
  },
  {
    id: "check-alone",
    explanation:
      "check outside of a multi is refused with UNIMPLEMENTED, as since 3.8.5 and 3.9.3, and takes no zxid; 3.8.0 carries it out as a write and does not answer where it succeeds.",
    explains: (difference) =>
      (isRefused(difference, OP.check) &&
        difference.aspect === "reply" &&
        (difference.apache === undefined || difference.apache.err < 0)) ||
      (burstHas(difference, OP.check) && isAheadByOne(difference, "apache")),
    after: "alignZxids",
  },
  {
    id: "container-deletion-by-clients",
    explanation:
      "deleteContainer, which servers send themselves, is refused from clients with UNIMPLEMENTED and takes no zxid; Apache's server tries to carry it out.",
    explains: (difference) =>
      (isRefused(difference, OP.deleteContainer) &&
        difference.aspect === "reply" &&
        difference.apache?.err === ERR.BAD_ARGUMENTS) ||
      (burstHas(difference, OP.deleteContainer) && isAheadByOne(difference, "apache")),
    after: "alignZxids",
  },
  {
    id: "unknown-opcode",
    explanation:
      "An opcode that is not known is answered with UNIMPLEMENTED, like everywhere, but the connection stays open: a client that tries a newer operation does not lose its watches.",
    explains: (difference) =>
      (difference.aspect === "closed" && difference.apache && endsWithUnknownOpcode(difference)) ||
      (difference.aspect === "reply" &&
        difference.apache === undefined &&
        difference.watchkeeper?.xid === wire.XID.ping &&
        endsWithUnknownOpcode(difference)),
    after: "reattach",
  },
  {
    id: "catch-up-needs-read",
    explanation:
      "setWatches tells of changes only to those who may READ the node, like every other event; Apache's server tells everybody.",
    explains: (difference) =>
      difference.aspect === "event" &&
      difference.watchkeeper === undefined &&
      difference.apache?.zxid === "-1" &&
      difference.client === difference.actor &&
      difference.requests.some(({ values }) => isToBeCaughtUp(values, difference.apache!.path)),
  },
  {
    id: "auth-order",
    explanation:
      "Where an ACL says auth, the identities that take its place stand in the order in which they were shown; Apache's order is that of a hash table.",
    explains: (difference) =>
      answers(difference, [OP.getACL], OK, OK) &&
      difference.aspect === "reply" &&
      JSON.stringify(withAclSorted(difference.apache)) === JSON.stringify(withAclSorted(difference.watchkeeper)),
    isRare: true,
  },
  {
    id: "acl-duplicates",
    explanation:
      "Entries of an ACL that are the same once auth has been replaced by identities are stored once; Apache's server drops only those that are the same in the request.",
    explains: (difference) =>
      answers(difference, [OP.getACL], OK, OK) &&
      difference.aspect === "reply" &&
      JSON.stringify(withAclSorted(difference.apache, unique)) ===
        JSON.stringify(withAclSorted(difference.watchkeeper)),
  },
  {
    id: "digest-hidden-to-its-end",
    explanation:
      "Who may not see the secrets of an ACL sees nothing of a digest behind its first colon; Apache's server shows what stands behind a line break.",
    explains: (difference) =>
      answers(difference, [OP.getACL], OK, OK) &&
      difference.aspect === "reply" &&
      JSON.stringify(difference.apache).replaceAll(/:x\\n[^"]*/g, ":x") === JSON.stringify(difference.watchkeeper),
  },
  {
    id: "undecodable-auth",
    explanation:
      "An auth that cannot be decoded is answered with AUTH_FAILED before the connection is closed, like a credential that is refused; Apache's server closes without a word.",
    explains: (difference) =>
      difference.aspect === "reply" &&
      difference.apache === undefined &&
      difference.watchkeeper?.err === ERR.AUTH_FAILED &&
      difference.request?.opcode === OP.auth &&
      difference.request.damage !== undefined,
  },
  {
    id: "null-in-acl",
    explanation:
      "An ACL entry without an id makes the ACL INVALID_ACL, in a multi in the operation's place; Apache's server fails on it and answers MARSHALLING_ERROR.",
    explains: (difference) =>
      (answers(difference, [...createOpcodes, OP.setACL], ERR.MARSHALLING_ERROR, ERR.INVALID_ACL) &&
        difference.aspect === "reply" &&
        hasNullId(difference.request!.values["acl"])) ||
      failsOnlyInApache(difference, ERR.INVALID_ACL, ({ values }) => hasNullId(values["acl"])),
  },
  {
    id: "ttl-flags-in-multi",
    explanation:
      "A create or create2 with the flags of a TTL node is BAD_ARGUMENTS in a multi as it is alone; Apache's server fails on it there and answers MARSHALLING_ERROR to the whole multi.",
    explains: (difference) =>
      failsOnlyInApache(
        difference,
        ERR.BAD_ARGUMENTS,
        ({ opcode, values }) => opcode !== OP.createTTL && [5, 6].includes(values["flags"] as number),
      ),
  },
  {
    id: "refused-multi-read",
    explanation:
      "A multiRead that is refused is answered by a reply header alone, like every error; Apache's server puts the results so far behind it, which clients do not read.",
    explains: (difference) =>
      answers(difference, [OP.multiRead], ERR.MARSHALLING_ERROR, ERR.MARSHALLING_ERROR) &&
      difference.aspect === "reply" &&
      Array.isArray(difference.apache?.body) &&
      difference.watchkeeper?.body === null,
    isRare: true,
  },
  {
    id: "undecodable-reconfig",
    explanation:
      "A reconfig that cannot be decoded takes a zxid, like every other write that fails; Apache's server takes none for it.",
    explains: (difference) =>
      difference.requests.some(({ opcode, damage }) => opcode === OP.reconfig && damage !== undefined) &&
      isAheadByOne(difference, "watchkeeper"),
    after: "alignZxids",
  },
  {
    id: "null-path",
    explanation:
      "A null where a path belongs is MARSHALLING_ERROR in every operation; Apache's server answers BAD_ARGUMENTS in setData and setACL, and in a create whose flags or time to live are wrong too, and addWatch takes it and then never answers the session's end.",
    explains: (difference) =>
      (answers(difference, NAMING_A_NODE, ERR.BAD_ARGUMENTS, ERR.MARSHALLING_ERROR) ||
        answers(difference, [OP.addWatch], OK, ERR.MARSHALLING_ERROR)) &&
      pathIsNull(difference),
  },
  {
    id: "null-in-set-watches",
    explanation:
      "A setWatches with a null among its paths is refused whole with MARSHALLING_ERROR. Apache's server sets the watches that stand before the null, and takes the null itself for a path where watches persist.",
    explains: (difference) =>
      isProbe(difference, "null-in-set-watches") &&
      (answers(difference, [OP.setWatches2], OK, ERR.MARSHALLING_ERROR) ||
        (difference.aspect === "event" && difference.watchkeeper === undefined)),
  },
  {
    id: "null-path-in-multi",
    explanation:
      "A multi with a null where a path belongs fails like one that cannot be decoded: with a zxid, as every failed write. Apache's server answers it out of turn, with no transaction and an empty list of results.",
    explains: (difference) =>
      difference.requests.some(({ operations }) => operations.some(({ values }) => values["path"] === null)) &&
      (isAheadByOne(difference, "watchkeeper") || isAheadByOne(withoutResults(difference), "watchkeeper")),
    after: "alignZxids",
  },
  {
    id: "sasl-not-supported",
    explanation:
      "SASL is not supported: the token is answered with AUTH_FAILED and the connection closed. Apache's server without SASL settings answers success with a null token, which a client must take for a failure.",
    explains: (difference) =>
      burstHas(difference, OP.sasl) &&
      (difference.aspect === "closed" ||
        (difference.aspect === "reply" &&
          (difference.watchkeeper?.err === ERR.AUTH_FAILED || difference.watchkeeper === undefined))),
    after: "reattach",
  },
  {
    id: "opcode-and-flags",
    explanation:
      "The flags of a create must be of the kind that its opcode makes: 0 to 3 for create and create2, 4 for createContainer, 5 and 6 for createTTL; others are BAD_ARGUMENTS. Apache's server lets the opcode decide alone and the flags in a multi.",
    explains: (difference) =>
      isProbe(difference, "opcode-and-flags") &&
      (answers(difference, createOpcodes, OK, ERR.BAD_ARGUMENTS) ||
        answers(difference, [OP.delete], OK, ERR.NO_NODE) ||
        firstErrors(difference, 0, ERR.BAD_ARGUMENTS) ||
        answers(difference, [OP.getChildren], OK, OK)),
  },
  {
    id: "watch-kinds-coexist",
    explanation:
      "Watches of several kinds that a connection has at one path live side by side, as since 3.9.0; in 3.8 the latest takes the place of the others, so that a getData with a watch ends a persistent watch.",
    explains: (difference) =>
      isProbe(difference, "watch-kinds-coexist") && difference.aspect === "event" && difference.apache === undefined,
  },
  {
    id: "ipv6-acl",
    explanation: "An ACL of scheme ip may name IPv6 addresses and ranges, as since 3.9.4; before, it is INVALID_ACL.",
    explains: (difference) =>
      isProbe(difference, "ipv6-acl") &&
      (answers(difference, [OP.create], ERR.INVALID_ACL, OK) || answers(difference, [OP.delete], ERR.NO_NODE, OK)),
  },
  {
    id: "stranger-with-wrong-password",
    explanation:
      "Who tries to take up a session with a wrong password is refused and changes nothing; Apache's server refuses too, but has closed the session's connection by then.",
    explains: (difference) =>
      isProbe(difference, "stranger-with-wrong-password") &&
      ((difference.aspect === "closed" && difference.apache) ||
        (difference.aspect === "reply" &&
          difference.apache === undefined &&
          difference.watchkeeper?.xid === wire.XID.ping)),
  },
  {
    id: "session-creation-by-clients",
    explanation:
      "createSession, which servers send themselves, is refused from clients with UNIMPLEMENTED; Apache's server carries it out and answers with the frame of a handshake.",
    explains: (difference) =>
      isProbe(difference, "session-creation-by-clients") &&
      difference.aspect === "reply" &&
      ((difference.apache === undefined && isRefused(difference, OP.createSession)) ||
        (difference.apache?.xid === 0 && difference.watchkeeper === undefined) ||
        isAheadByOne(difference, "apache")),
  },
  {
    id: "empty-path",
    explanation:
      'A read of the path "" is a read of the root, as in Apache\'s server, but so are its watches and getAllChildrenNumber; there such a watch never fires, and the number is one too high.',
    explains: (difference) =>
      isRootCountedTwice(difference) ||
      (isProbe(difference, "empty-path") &&
        difference.aspect === "event" &&
        difference.apache === undefined &&
        difference.watchkeeper?.path === "/"),
  },
  {
    id: "relative-path-in-check-watches",
    explanation:
      "checkWatches for a path without a leading slash tells whether it is watched, like any other; Apache's server fails on it with MARSHALLING_ERROR as soon as anybody has a recursive watch.",
    explains: (difference) =>
      difference.aspect === "reply" &&
      [OK, ERR.NO_WATCHER].some((err) => answers(difference, [OP.checkWatches], ERR.MARSHALLING_ERROR, err)) &&
      !String(difference.request?.values["path"]).startsWith("/"),
  },
  {
    id: "pipelined-set-acl",
    explanation:
      "An ACL is in force for every request behind the setACL, like every change. In Apache's server a pipelined request is judged by the old ACL until the new one is on the disk.",
    explains: (difference) =>
      isProbe(difference, "pipelined-set-acl") &&
      (answers(difference, [OP.create], OK, ERR.NO_AUTH) || answers(difference, [OP.delete], OK, ERR.NO_NODE)),
    isRare: true,
  },
  {
    id: "quota-counted-anew",
    explanation:
      "Creating zookeeper_limits counts the subtree anew, so that the statistics are right from the start; Apache's server counts when zookeeper_stats is created and when it starts, and goes on from an old number in between.",
    explains: (difference) =>
      isProbe(difference, "quota-counted-anew") &&
      answers(difference, [OP.getData], OK, OK) &&
      difference.aspect === "reply" &&
      dataOf(difference.apache) === "count=1,bytes=0" &&
      dataOf(difference.watchkeeper) === "count=2,bytes=0",
  },
  {
    id: "quota-statistics-written",
    explanation:
      "What a client writes into zookeeper_stats gives way to the right numbers at once; Apache's server goes on from what was written.",
    explains: (difference) =>
      isProbe(difference, "quota-statistics-written") &&
      difference.aspect === "reply" &&
      (answers(difference, [OP.setData], OK, OK) ||
        (answers(difference, [OP.getData], OK, OK) &&
          dataOf(difference.apache) === "count=101,bytes=100" &&
          dataOf(difference.watchkeeper) === "count=2,bytes=0")),
  },
  {
    id: "quota-in-multi",
    explanation:
      "A hard quota counts what is accepted but not yet applied, so that neither a multi nor pipelined requests can exceed it together, as they can in Apache's server.",
    explains: (difference) =>
      isProbe(difference, "quota-in-multi") &&
      (firstErrors(difference, 0, ERR.QUOTA_EXCEEDED) || answers(difference, [OP.delete], OK, ERR.NO_NODE)),
  },
];

function endsWithUnknownOpcode(difference: Difference): boolean {
  const last = difference.requests.at(-1);
  if (last === undefined) return false;
  const operation = wire.operationName(last.opcode);
  return operation === undefined || last.opcode === OP.error;
}

function isRootCountedTwice(difference: Difference): boolean {
  if (!answers(difference, [OP.getAllChildrenNumber], OK, OK) || difference.aspect !== "reply") return false;
  const apache = difference.apache?.body as { readonly totalNumber: number };
  const watchkeeper = difference.watchkeeper?.body as { readonly totalNumber: number };
  return apache.totalNumber === watchkeeper.totalNumber + 1;
}

/** Whether a setWatches names the path in one of the lists that make catch-up events. */
function isToBeCaughtUp(values: RequestValues, path: string): boolean {
  return ["dataWatches", "existWatches", "childWatches"].some((list) => {
    const paths = values[list];
    return Array.isArray(paths) && paths.includes(path);
  });
}

function isProbe(difference: Difference, id: string): boolean {
  return difference.probe === id;
}

/** Two multis whose first failures, 0 for none, are these. */
function firstErrors(difference: Difference, apache: number, watchkeeper: number): boolean {
  const results = multiResults(difference);
  if (results === undefined) return false;
  const [ofApache, ofWatchkeeper] = results.map((list) => list.find((result) => result.err !== 0)?.err ?? 0);
  return ofApache === apache && ofWatchkeeper === watchkeeper;
}

/** The difference without the list of results that Apache puts behind an error. */
function withoutResults(difference: Difference): Difference {
  if (difference.aspect !== "reply" || difference.apache === undefined || difference.apache.err === OK)
    return difference;
  return { ...difference, apache: { ...difference.apache, body: null } };
}

const createOpcodes = [OP.create, OP.create2, OP.createContainer, OP.createTTL];

function dataOf(reply: ReplyItem | undefined): string | null | undefined {
  return (reply?.body as { readonly data: string | null } | undefined)?.data;
}

function withAclSorted(
  reply: ReplyItem | undefined,
  select: (entries: readonly string[]) => readonly string[] = (entries) => entries,
): ReplyItem | undefined {
  if (reply === undefined) return undefined;
  const { acl, ...rest } = reply.body as { readonly acl: readonly unknown[] };
  return { ...reply, body: { acl: [...select(acl.map((entry) => JSON.stringify(entry)))].sort(), ...rest } };
}

function unique(entries: readonly string[]): readonly string[] {
  return [...new Set(entries)];
}

function hasNullId(acl: unknown): boolean {
  return Array.isArray(acl) && acl.some((entry: { id: { id: unknown } }) => entry.id.id === null);
}

/** A multi that Watchkeeper refuses in the place of an operation, with this error, and Apache as a whole. */
function failsOnlyInApache(
  difference: Difference,
  err: number,
  isCause: (operation: SubOperation) => boolean,
): boolean {
  if (!answers(difference, [OP.multi], ERR.MARSHALLING_ERROR, OK) || difference.aspect !== "reply") return false;
  const results = difference.watchkeeper?.body;
  if (!Array.isArray(results)) return false;
  const failed = (results as readonly MultiResult[]).findIndex((result) => result.err !== 0);
  const operation = difference.request?.operations[failed];
  return operation !== undefined && results[failed].err === err && isCause(operation);
}

const NAMING_A_NODE = [OP.setData, OP.setACL, OP.create, OP.create2, OP.createContainer, OP.createTTL];

/** Sent as null, or made null by damage. */
function pathIsNull(difference: Difference): boolean {
  if (difference.aspect !== "reply") return false;
  return (
    difference.request?.values["path"] === null || difference.request?.damage === "-1 written at byte 0 of the body"
  );
}
