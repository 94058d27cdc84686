import { describe, expect, test } from "vitest";
import { EnsembleConfig, EnsembleConfigError, parseServerLine } from "../../../src/zab/index.js";

// As Apache 3.8.0 sent it in a notification.
const RECORDED = [
  "server.1=127.0.0.1:22121:22131:participant;127.0.0.1:22111",
  "server.2=127.0.0.1:22122:22132:participant;127.0.0.1:22112",
  "server.3=127.0.0.1:22123:22133:participant;127.0.0.1:22113",
  "version=100000000",
].join("\n");

const THREE = ["server.1=a:1:2", "server.2=b:1:2", "server.3=c:1:2"];

function config(...lines: string[]): EnsembleConfig {
  return EnsembleConfig.parse(lines.join("\n"));
}

describe("the canonical text", () => {
  test("is what Apache sends", () => {
    const parsed = EnsembleConfig.parse(RECORDED);
    expect(parsed.text).toBe(RECORDED);
    expect(parsed.version).toBe(2 ** 32);
    expect(parsed.members.get(2)).toEqual({
      id: 2,
      role: "participant",
      addresses: [{ host: "127.0.0.1", quorumPort: 22122, electionPort: 22132 }],
      client: { host: "127.0.0.1", port: 22112 },
    });
  });

  test("has the members ascending, the role always, and the version without its prefix", () => {
    expect(config("version = 1F ", "server.12=b:1:2:OBSERVER;2181", "# ours", "server.2 : [::1]:1:2").text).toBe(
      "server.2=[::1]:1:2:participant\nserver.12=b:1:2:observer;0.0.0.0:2181\nversion=1f",
    );
  });

  test("has several addresses by host, and their role once, as Apache has it", () => {
    const several = config("server.1=10.0.0.9:1:2:participant|10.0.0.2:3:4:participant;2181");
    expect(several.text).toBe("server.1=10.0.0.2:3:4|10.0.0.9:1:2:participant;0.0.0.0:2181\nversion=0");
    expect(EnsembleConfig.parse(several.text).text).toBe(several.text);
  });

  test("of groups has the weight of every voter", () => {
    const hierarchical = config(...THREE, "group.2=3", "group.1=2:1", "weight.2=5", "version=a");
    expect(hierarchical.text).toBe(
      "server.1=a:1:2:participant\nserver.2=b:1:2:participant\nserver.3=c:1:2:participant\n" +
        "group.1=1:2\ngroup.2=3\nweight.1=1\nweight.2=5\nweight.3=1\nversion=a",
    );
    expect(EnsembleConfig.parse(hierarchical.text).text).toBe(hierarchical.text);
  });

  test.each([
    ["", "it names no server that votes"],
    ["server.1=a:1:2:observer\nversion=0", "it names no server that votes"],
    ["server.1=a:1:2\nfoo=1", '"foo" is no key'],
    ["server.1=a:1:2\nserver=b:1:2", '"server" is no key'],
    ["server.x=a:1:2", "expected a server id"],
    ["server.1=a:1", "expected host:quorumPort:electionPort"],
    ["server.1=a:1:2\nversion=0x10", 'version "0x10"'],
    ["server.1=a:1:2\nversion=ffffffffffffffff", "no hexadecimal zxid"],
    ["server.1=a:1:2\nweight.1=2", "server 1 votes and is in no group"],
    ["server.1=a:1:2\ngroup.1=1\ngroup.2=1", "server 1 is in two groups"],
    ["server.1=a:1:2\nserver.2=b:1:2:observer\ngroup.1=1:2", "server 2 is in a group, does not vote and has no weight"],
    ["server.1=a:1:2\nversion=\\u00zz", "expected four hexadecimal digits"],
  ])("%j is refused: %s", (text, sentence) => {
    expect(() => EnsembleConfig.parse(text)).toThrow(EnsembleConfigError);
    expect(() => EnsembleConfig.parse(text)).toThrow(sentence);
  });
});

describe("roles and quorums", () => {
  const mixed = config(...THREE, "server.4=d:1:2:observer");

  test("every member has its role, a stranger has none", () => {
    expect([1, 4, 5].map((sid) => mixed.roleOf(sid))).toEqual(["participant", "observer", undefined]);
    expect(mixed.voters).toEqual(new Set([1, 2, 3]));
    expect(mixed.observers).toEqual(new Set([4]));
  });

  test("a majority of the voters decides", () => {
    expect(mixed.verifier.containsQuorum(new Set([1, 4, 5]))).toBe(false);
    expect(mixed.verifier.containsQuorum(new Set([1, 3]))).toBe(true);
  });

  test("groups decide where there are groups", () => {
    const grouped = config(...THREE, "group.1=1", "group.2=2:3", "weight.3=0");
    expect(grouped.verifier.containsQuorum(new Set([1, 3]))).toBe(false);
    expect(grouped.verifier.containsQuorum(new Set([1, 2]))).toBe(true);
    expect(grouped.verifier.weightOf(3)).toBe(0);
  });

  test("lines of a configuration file make the same configuration", () => {
    const servers = [parseServerLine("2", "b:1:2"), parseServerLine("1", "a:1:2;2181")];
    expect(EnsembleConfig.of({ version: 0, servers, groups: [], weights: [] }).text).toBe(
      "server.1=a:1:2:participant;0.0.0.0:2181\nserver.2=b:1:2:participant\nversion=0",
    );
  });
});

describe("equality", () => {
  const one = config(...THREE, "version=1");

  test.each([
    ["of the same version, whoever is in it", config("server.9=z:1:2", "version=1"), true],
    ["of other versions with the same members", one.withVersion(7), true],
    ["with a member less", config(...THREE.slice(1)), false],
    ["with another role", config(...THREE.slice(0, 2), "server.3=c:1:2:observer"), false],
    ["with another election port", config(...THREE.slice(0, 2), "server.3=c:1:3"), false],
    ["with a client address", config(...THREE.slice(0, 2), "server.3=c:1:2;2181"), false],
    ["with groups, even of the same version", config(...THREE, "group.1=1:2:3", "version=1"), false],
  ])("%s", (_what, other, equal) => {
    expect(one.equals(other)).toBe(equal);
    expect(other.equals(one)).toBe(equal);
  });

  test("of groups goes by groups and weights too", () => {
    const grouped = config(...THREE, "group.1=1:2:3", "version=1");
    expect(grouped.equals(config(...THREE, "group.1=3:2:1", "version=2"))).toBe(true);
    expect(grouped.equals(config(...THREE, "group.1=3:2:1", "weight.1=2", "version=2"))).toBe(false);
    expect(grouped.equals(config(...THREE, "group.1=1", "group.2=2:3", "version=2"))).toBe(false);
  });
});
