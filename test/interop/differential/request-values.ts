/** The values that requests are filled with: paths, ACLs and data, well-formed, unusual and impossible ones. */

import type { SeededRandom } from "../../support/seeded-random.js";
import type { KnownNodes } from "./known-nodes.js";

/** Containers and TTL nodes have names of their own, so that the kind of every node is known from its path. */
export const containerName = "box";
export const ttlName = /^ttl-(\d+)-/;

const plainNames = ["a", "b", "c", "ü", "名前"];
const ttls = [1000, 60_000, 2 ** 40 - 1];

const unusualPaths: readonly (string | null)[] = [
  null,
  "",
  "/",
  "a",
  "a/b",
  "/a/",
  "//",
  "/a//b",
  "/.",
  "/..",
  "/a/..",
  "/./a",
  "/...",
  "/a/..b",
  "/.a",
  "/a\u0000b",
  "/\u0000",
  "/a\u0001",
  "/a\u001f",
  "/a\u007f",
  "/a\u0085/b",
  "/\u009f",
  "/\u00a0",
  "/\u2028",
  "/\u{1f600}",
  "/a/\ue000",
  "/\uf8ff",
  "/\uf900",
  "/\ufeff",
  "/\uffef",
  "/\ufff0",
  "/\uffff",
  "/zookeeper",
  "/zookeeper/",
  "/zookeeper/quota",
  "/zookeeper/config",
  "/zookeeper/new",
  `/${"long".repeat(200)}`,
  `/a${"/a".repeat(100)}`,
];

/** Names that no node may have, and one that begins like another. */
const unusualNames = ["", ".", "..", "a/", "\u0000", "b\u001f", "\u{1f600}", "aa", "a".repeat(300)];

/** What a sequence number is put behind; the last three are no names by themselves. */
export const sequentialNames = ["", "s-", "s-", "a", ".", "..", "a/"];

const depthMax = 5;

export function somePath(random: SeededRandom, known: KnownNodes): string | null {
  return random.weighted<() => string | null>([
    [60, () => random.pick(known.paths)],
    [25, () => childOf(random.pick(known.paths), nameOf(random))],
    [10, () => `/${random.pick(plainNames)}/${random.pick(plainNames)}`],
    [4, () => random.pick(unusualPaths)],
    [2, () => childOf(random.pick(known.paths), random.pick(unusualNames))],
  ])();
}

/** A node with some that are or could be below it: first those to which children are given. */
export function familyOf(random: SeededRandom, parent: string): readonly string[] {
  const [first, second, third] = [nameOf(random), nameOf(random), nameOf(random)];
  const child = childOf(parent, first);
  const grandchild = childOf(child, second);
  return [
    parent,
    child,
    grandchild,
    childOf(grandchild, third),
    childOf(parent, second),
    childOf(child, containerName),
  ];
}

/** How many of a family are given children. */
export const familyParents = 3;

export function childOf(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

export function nameOf(random: SeededRandom): string {
  return random.pick(plainNames);
}

/** A path at which something could be created, no deeper than the tree should become. */
export function parentForCreate(random: SeededRandom, known: KnownNodes): string {
  const parent = random.pick(known.paths);
  if (parent.startsWith("/zookeeper")) return "/";
  return parent.split("/").length > depthMax ? "/" : parent;
}

export function ttlOf(random: SeededRandom): number {
  return random.pick(ttls);
}

interface WildAcl {
  readonly perms: number;
  readonly id: { readonly scheme: string | null; readonly id: string | null };
}

function entry(perms: number, scheme: string | null, id: string | null): WildAcl {
  return { perms, id: { scheme, id } };
}

export const openAcl: readonly WildAcl[] = [entry(31, "world", "anyone")];

/** The digests of `alice:wonder` and `bob:pw`, two of the users that connections show credentials of. */
const alice = "alice:8y0lhh/7xkdEiwhX7vo9i+/Nmzc=";
const bob = "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=";

const acceptableAcls: readonly (readonly WildAcl[])[] = [
  [entry(1, "world", "anyone")],
  [entry(15, "world", "anyone")],
  [entry(17, "world", "anyone")],
  [entry(30, "world", "anyone")],
  [entry(31, "digest", bob)],
  [entry(31, "digest", alice), entry(1, "world", "anyone")],
  [entry(31, "digest", bob), entry(31, "digest", bob), entry(5, "world", "anyone"), entry(31, "digest", bob)],
  [entry(31, "auth", "")],
  [entry(3, "auth", "whatever"), entry(16, "world", "anyone")],
  [entry(31, "auth", ""), entry(31, "auth", "again"), entry(31, "digest", bob)],
  [entry(31, "digest", "user:one\ntwo"), entry(1, "world", "anyone")],
  [entry(31, "ip", "127.0.0.1")],
  [entry(31, "ip", "+127.0.0.0001/-0"), entry(31, "ip", "127.1.1.1/+08")],
  [entry(31, "ip", "127.0.0.0/8"), entry(1, "ip", "10.0.0.0/24")],
  [entry(31, "ip", "10.1.2.3"), entry(20, "world", "anyone")],
  [entry(0, "world", "anyone")],
  [entry(-1, "world", "anyone")],
  [entry(64, "world", "anyone"), entry(31, "world", "anyone")],
  [entry(31, "digest", "user:"), entry(31, "world", "anyone")],
  [entry(31, "digest", "ü:x"), entry(31, "world", "anyone")],
];

const refusedAcls: readonly (readonly WildAcl[] | null)[] = [
  null,
  [],
  [entry(31, "world", "everyone")],
  [entry(31, "world", "")],
  [entry(31, "auth", null)],
  [entry(31, null, "anyone")],
  [entry(31, "world", null)],
  [entry(31, "digest", null)],
  [entry(31, "digest", "nocolon")],
  [entry(31, "digest", "a:b:c")],
  [entry(31, "digest", ":")],
  [entry(31, "digest", ":x")],
  [entry(31, "ip", "127.0.0.1/33")],
  [entry(31, "ip", "127.0.0.1/-1")],
  [entry(31, "ip", "127.0.0.1/")],
  [entry(31, "ip", "127.0.0.256")],
  [entry(31, "ip", "127.0.0.1/8/9")],
  [entry(31, "ip", "127.0.0.-1")],
  [entry(31, "ip", "127.0.0")],
  [entry(31, "ip", "localhost")],
  [entry(31, "ip", "")],
  [entry(31, "x509", "CN=a")],
  [entry(31, "sasl", "a")],
  [entry(31, "super", "")],
  [entry(31, "", "")],
  [entry(31, "world", "anyone"), entry(31, "unknown", "x")],
];

export function someAcl(random: SeededRandom): readonly WildAcl[] | null {
  return random.weighted<() => readonly WildAcl[] | null>([
    [75, () => openAcl],
    [18, () => random.pick(acceptableAcls)],
    [7, () => random.pick(refusedAcls)],
  ])();
}

/** Credentials for the schemes that a server knows without configuration; the first two are as good as any. */
export const goodCredentials: readonly (readonly [scheme: string, credential: string])[] = [
  ["digest", "alice:wonder"],
  ["digest", "bob:pw"],
  ["digest", "joe"],
  ["digest", ""],
  ["digest", "ü:ß"],
  ["digest", "a:b:c"],
  ["ip", "anything"],
];

export const badCredentials: readonly (readonly [scheme: string | null, credential: string | null])[] = [
  ["world", "anyone"],
  ["auth", ""],
  ["nothing", "x"],
  ["", ""],
  [null, "x"],
  ["digest", null],
];

export function someData(random: SeededRandom): Uint8Array | null {
  const length = random.weighted<() => number>([
    [10, () => -1],
    [15, () => 0],
    [60, () => 1 + random.below(12)],
    [14, () => random.below(300)],
    [1, () => random.below(5000)],
  ])();
  if (length < 0) return null;
  return Uint8Array.from({ length }, () => random.below(256));
}
