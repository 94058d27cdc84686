/**
 * Whether all servers of an ensemble have the same: every node with its data, Stat and ACL, those below
 * /zookeeper too, the sessions, the ephemerals by session, and the digests they tell themselves.
 */

import type { Ensemble } from "./ensemble.js";
import { countersOf, digestsOf, sessionsOf } from "./four-letter-words.js";
import type { Member } from "./member.js";
import { treeLines, withClientOf } from "./tree-walk.js";

/** Servers tell the digest after every 128th zxid. */
const ZXIDS_BETWEEN_DIGESTS = 128;
const DIFFERENCES_MAX = 5;

/**
 * What differs between the running servers, nothing where all agree. Nobody may write meanwhile. Nodes
 * `without` which they are compared are those in which they are meant to differ.
 */
export async function disagreements(ensemble: Ensemble, without: readonly string[] = []): Promise<string[]> {
  await spendZxids(ensemble);
  await ensemble.untilInStep();
  const trees = await Promise.all(
    ensemble.running.map((member) =>
      withClientOf(member.connectString, async (client) => {
        await client.sync();
        return treeLines(client, without);
      }),
    ),
  );
  await ensemble.untilInStep();
  return [
    ...differingTrees(ensemble.running, trees),
    ...(await differingSessions(ensemble.running)),
    ...(await differingDigests(ensemble.running)),
  ];
}

/** Writes that fail leave the tree as it is, and lead to a zxid at which everybody tells a digest. */
async function spendZxids(ensemble: Ensemble): Promise<void> {
  await withClientOf(ensemble.connectString, async (client) => {
    const writes = Array.from({ length: ZXIDS_BETWEEN_DIGESTS }, () => client.delete("/there-is-no-such-node"));
    await Promise.allSettled(writes);
  });
}

function differingTrees(members: readonly Member[], trees: readonly (readonly string[])[]): string[] {
  const [first = [], ...others] = trees;
  return others.flatMap((other, i) =>
    differingLines(first, other).map((line) => `${members[0]!.name} and ${members[i + 1]!.name}: ${line}`),
  );
}

function differingLines(left: readonly string[], right: readonly string[]): string[] {
  const [inLeft, inRight] = [new Set(left), new Set(right)];
  const missing = left.filter((line) => !inRight.has(line)).map((line) => `only the first has ${line}`);
  const added = right.filter((line) => !inLeft.has(line)).map((line) => `only the second has ${line}`);
  return [...missing.slice(0, DIFFERENCES_MAX), ...added.slice(0, DIFFERENCES_MAX)];
}

async function differingSessions(members: readonly Member[]): Promise<string[]> {
  const dumps = await Promise.all(members.map((member) => sessionsOf(member.ports.client)));
  return members.flatMap((member, i) => [
    ...differingLines(dumps[0]!.sessions, dumps[i]!.sessions).map((line) => `sessions, ${member.name}: ${line}`),
    ...differingLines(dumps[0]!.ephemerals, dumps[i]!.ephemerals).map((line) => `ephemerals, ${member.name}: ${line}`),
  ]);
}

async function differingDigests(members: readonly Member[]): Promise<string[]> {
  const told = await Promise.all(members.map((member) => digestsOf(member.ports.client)));
  const shared = [...told[0]!.keys()].filter((zxid) => told.every((digests) => digests.has(zxid)));
  const found: string[] = [];
  // The last one only: what a server told while it replayed its log over a fuzzy snapshot holds for no tree.
  const last = shared.at(-1);
  if (last === undefined) return ["there is no zxid at which all servers tell a digest"];
  const digests = told.map((one) => one.get(last));
  if (new Set(digests).size > 1) found.push(`digests after 0x${last}: ${digests.join(" | ")}`);
  for (const member of members) {
    const mismatches = (await countersOf(member.ports.client)).get("zk_digest_mismatches_count");
    if (mismatches !== "0" && !hasLoggedTwice(member))
      found.push(`${member.name} counts ${mismatches} digest mismatches`);
  }
  return found.slice(0, DIFFERENCES_MAX);
}

/**
 * Apache's 3.8.0, cut off from its leader while it synchronizes, reports the zxid of its tree and not the
 * end of its log, and logs again what it is sent again (the family of ZOOKEEPER-2845 and 4712). Its next
 * start replays that stretch twice: the tree comes out right, the digests in between cannot match.
 */
function hasLoggedTwice(member: Member): boolean {
  return member.hasEverLogged("FileTxnLog - Current zxid");
}
