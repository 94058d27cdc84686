import { describe, expect, test } from "vitest";
import { errorOf, MINIMAL, readWithoutFile, readZooCfg, type Surroundings } from "./read-zoo-cfg.js";

function errorIn(lines: string, surroundings: Surroundings = {}) {
  return errorOf(() => readZooCfg(MINIMAL + lines, surroundings));
}

describe("a malformed value names file, line, what was expected and what was found", () => {
  test("as a sentence and as facts, with Apache's exit code", () => {
    const error = errorIn("tickTime=abc");
    expect(error.message).toBe('zoo.cfg line 3: tickTime: expected a whole number of milliseconds, found "abc".');
    expect(error).toMatchObject({
      code: "MALFORMED",
      exitCode: 2,
      facts: {
        file: "zoo.cfg",
        line: 3,
        key: "tickTime",
        expected: "a whole number of milliseconds",
        found: "abc",
      },
    });
  });

  test.each([
    ["clientPort=abc", "a port from 1 to 65535"],
    ["clientPort=65536", "a port from 1 to 65535"],
    ["clientPort=-1", "a port from 1 to 65535"],
    ["clientPort=", "a port from 1 to 65535"],
    ["clientPort=2181 # plain", "a port from 1 to 65535"],
    ["clientPortAddress=not a host", "an IP address or a host name"],
    ["clientPortAddress=127.0.0.1:2181x/", "an IP address or a host name"],
    ["dataDir=", "a path"],
    ["dataLogDir=", "a path"],
    ["tickTime=0", "a whole number of milliseconds, 1 or more"],
    ["tickTime=-5\nmaxSessionTimeout=5\nminSessionTimeout=5", "a whole number of milliseconds, 1 or more"],
    ["tickTime=2s", "a whole number of milliseconds"],
    ["tickTime=1.5", "a whole number of milliseconds"],
    ["tickTime=2147483648", "a whole number of milliseconds"],
    ["minSessionTimeout=-2", "a whole number of milliseconds, 0 or more"],
    ["maxClientCnxns=many", "a whole number"],
    ["clientPortListenBacklog=-2", "a whole number, -1 or more"],
    ["globalOutstandingLimit=-1", "a whole number, 0 or more"],
    ["preAllocSize=64M", "a whole number of KiB"],
    ["snapCount=x", "a whole number"],
    ["initLimit=ten", "a whole number of ticks"],
    ["autopurge.purgeInterval=1w", "a whole number of hours, or one with a unit: 90m, 12h, 1d"],
    ["autopurge.snapRetainCount=three", "a whole number"],
    ["snapshot.compression.method=gzip", "gz, snappy, or nothing for no compression"],
    ["standaloneEnabled=yes", "true or false"],
    ["reconfigEnabled=1", "true or false"],
    ["localSessionsEnabled=on", "true or false"],
    ["electionAlg=1", "3, the only one supported"],
    ["peerType=foo", "participant or observer"],
    ["nio.sessionlessCnxnTimeout=0", "a whole number of milliseconds, 1 or more"],
    ["flushDelay=abc", "a whole number of milliseconds"],
    ["snapshotSizeFactor=a third", "a number such as 0.33"],
    ["DigestAuthenticationProvider.digestAlg=FOO", "one of SHA1, SHA-1, SHA, SHA-224"],
    ["jute.maxbuffer.extrasize=x", "a whole number of bytes"],
    [
      "metricsProvider.className=com.example.Metrics",
      "one of org.apache.zookeeper.metrics.impl.DefaultMetricsProvider, ",
    ],
  ])("%j: expected %s", (lines, expected) => {
    const error = errorIn(lines);
    expect(error).toMatchObject({ code: "MALFORMED", exitCode: 2 });
    expect(error.facts).toMatchObject({ file: "zoo.cfg", line: 3, key: lines.split("=")[0] });
    expect(error.facts.expected).toContain(expected);
    expect(error.message).toContain(`zoo.cfg line 3: ${lines.split("=")[0]}: expected ${expected}`);
  });

  test.each(["-Djute.maxbuffer=0", "-Djute.maxbuffer=-1", "-Dznode.container.maxPerMinute=0"])("%s", (flag) => {
    expect(errorIn("", { environment: { SERVER_JVMFLAGS: flag } }).message).toMatch(
      /^SERVER_JVMFLAGS: .* 1 or more, found/,
    );
  });

  test("a secret stays one", () => {
    const error = errorIn("DigestAuthenticationProvider.superDigest=hunter2");
    expect(error.message).toBe(
      'zoo.cfg line 3: DigestAuthenticationProvider.superDigest: expected super:<base64 of a digest>, found "***".',
    );
    expect(JSON.stringify(error.facts)).not.toContain("hunter2");
  });

  test("a broken escape names the line", () => {
    const error = errorIn("dataLogDir=\\u00zz");
    expect(error.message).toBe('zoo.cfg line 3: expected four hexadecimal digits after \\u, found "00zz".');
    expect(error).toMatchObject({ code: "MALFORMED", facts: { file: "zoo.cfg", line: 3 } });
  });
});

describe("what is missing or does not fit together", () => {
  test("no dataDir", () => {
    const error = errorOf(() => readZooCfg("clientPort=2181"));
    expect(error).toMatchObject({ code: "MISSING", exitCode: 2, facts: { key: "dataDir", file: "zoo.cfg" } });
    expect(error.message).toBe("zoo.cfg: dataDir is not set: add a line such as dataDir=/var/lib/zookeeper.");
  });

  test.each(["dataDir=/data", "dataDir=/data\nclientPort=0"])("no client port in %j", (text) => {
    const error = errorOf(() => readZooCfg(text));
    expect(error).toMatchObject({ code: "MISSING", facts: { key: "clientPort" } });
    expect(error.message).toContain("clientPort is not set");
  });

  test("an address without a port", () => {
    const error = errorOf(() => readZooCfg("dataDir=/data\nclientPortAddress=10.0.0.1"));
    expect(error).toMatchObject({ code: "CONFLICT", facts: { line: 2 } });
    expect(error.message).toContain("clientPortAddress is set but clientPort is not set");
  });

  test.each([
    ["minSessionTimeout=50000\nmaxSessionTimeout=40000", 3, "50000 ms and 40000 ms"],
    ["maxSessionTimeout=10", 3, "6000 ms and 10 ms"],
    ["tickTime=1000\nminSessionTimeout=20001", 4, "20001 ms and 20000 ms"],
  ])("session timeouts the wrong way round: %j", (lines, line, numbers) => {
    const error = errorIn(lines);
    expect(error).toMatchObject({ code: "CONFLICT", facts: { line } });
    expect(error.message).toContain("minSessionTimeout must not be larger than maxSessionTimeout");
    expect(error.message).toContain(numbers);
  });

  test("a myid file that holds no number, though a single server has no use for it", () => {
    const otherFiles = { "/var/lib/zookeeper/myid": "abc\n" };
    const error = errorIn("", { otherFiles });
    expect(error).toMatchObject({
      code: "MALFORMED",
      exitCode: 2,
      facts: { file: "/var/lib/zookeeper/myid", line: 1 },
    });
    expect(error.message).toContain("serverid abc is not a number");
    expect(errorOf(() => readZooCfg(MINIMAL, { otherFiles: { "/var/lib/zookeeper/myid": "" } })).code).toBe(
      "MALFORMED",
    );
  });
});

describe("server lines", () => {
  const ONE = "server.1=127.0.0.1:2888:3888";

  test("one participant is a single server, with Apache's words", () => {
    const { settings, warnings } = readZooCfg(`${MINIMAL}${ONE}`);
    expect(settings.clientAddress).toEqual({ host: "0.0.0.0", port: 2181 });
    expect(warnings[0]).toMatchObject({
      code: "TAKEN_AS",
      line: 3,
      message:
        "zoo.cfg line 3: Invalid configuration, only one server specified (ignoring): server.1 runs as a single server.",
    });
  });

  test("its client address counts where the file has none", () => {
    const { settings } = readZooCfg(`dataDir=/data\n${ONE};127.0.0.1:2182`);
    expect(settings.clientAddress).toEqual({ host: "127.0.0.1", port: 2182 });
    expect(readZooCfg(`${MINIMAL}${ONE};127.0.0.1:2182`).settings.clientAddress.port).toBe(2181);
  });

  test("where myid says that the line is this server's, the two must agree", () => {
    const otherFiles = { "/var/lib/zookeeper/myid": "1\n" };
    const agreeing = readZooCfg(`${MINIMAL}${ONE};127.0.0.1:2181`, { otherFiles });
    expect(agreeing.settings.clientAddress).toEqual({ host: "127.0.0.1", port: 2181 });
    expect(errorIn(`${ONE};127.0.0.1:2182`, { otherFiles })).toMatchObject({ code: "CONFLICT", facts: { line: 2 } });
    expect(errorIn(`clientPortAddress=10.0.0.1\n${ONE};127.0.0.1:2181`, { otherFiles }).code).toBe("CONFLICT");
  });

  test("peerType=observer is not what a single server is", () => {
    const { warnings } = readZooCfg(`${MINIMAL}peerType=observer`);
    expect(warnings[0]).toMatchObject({
      code: "TAKEN_AS",
      key: "peerType",
      line: 3,
      message:
        "zoo.cfg line 3: Peer type from servers list (participant) doesn't match peerType (observer). Defaulting to servers list.",
    });
  });

  test.each([
    ["server.1=127.0.0.1:2888", "expected host:quorumPort:electionPort"],
    ["server.1=127.0.0.1:x:3888", 'expected a port from 1 to 65535 where "x" stands, found "127.0.0.1:x:3888"'],
    ["server.x=127.0.0.1:2888:3888", 'expected a server id from 0 to 255 where "x" stands'],
    ["server.1=127.0.0.1:2888:3888:foo", 'expected participant or observer where "foo" stands'],
    ["server.1=127.0.0.1:2888:2888", "two different ports"],
    ["weight.1=heavy", "expected a weight of 0 or more"],
    ["group.1=1;2", "expected server ids from 0 to 255"],
  ])("%s is malformed", (line, sentence) => {
    const error = errorIn(line);
    expect(error).toMatchObject({ code: "MALFORMED", facts: { line: 3, key: line.split("=")[0] } });
    expect(error.message).toContain(sentence);
  });

  test.each([
    ["server.1=a:2888:3888:observer", "Observers w/o participants is an invalid configuration"],
    [`${ONE}\nserver.2=a:2888:3888:observer`, "Observers w/o quorum is an invalid configuration"],
    ["standaloneEnabled=false", "at least one server line of a participant"],
    ["server.1=a:2888:3888|b:2888:3888", "multiple addresses were specified for sid 1"],
    ["server.255=a:2888:3888\nextendedTypesEnabled=true", "a server id is at most 254"],
    [`dynamicConfigFile=/dyn\n${ONE}`, "parameter: server.1 must be in a separate dynamic config file"],
  ])("%j does not fit together", (lines, sentence) => {
    const error = errorIn(lines, { otherFiles: { "/dyn": ONE } });
    expect(error).toMatchObject({ code: "CONFLICT", exitCode: 2 });
    expect(error.message).toContain(sentence);
  });
});

describe("a dynamic file", () => {
  const dynamic = (text: string) => ({ otherFiles: { "/etc/zk.dynamic": text } });
  const POINTER = "dynamicConfigFile=/etc/zk.dynamic";

  test("holds the server lines, and they count as if they stood in the main file", () => {
    const { settings } = readZooCfg(`dataDir=/data\n${POINTER}`, dynamic("server.1=a:2888:3888:participant;2190"));
    expect(settings.clientAddress.port).toBe(2190);
  });

  test("must be there", () => {
    expect(errorIn(POINTER)).toMatchObject({ code: "UNREADABLE", exitCode: 2, facts: { file: "/etc/zk.dynamic" } });
  });

  test.each([
    ["clientPort=2181", "/etc/zk.dynamic line 1: Unrecognised parameter: clientPort"],
    ["server.1=a:2888:3888\nversion=100000000", "/etc/zk.dynamic line 2: dynamic file shouldn't have version inside"],
    ["server.1=\\uqqqq", "/etc/zk.dynamic line 1: expected four hexadecimal digits"],
  ])("%j is malformed", (text, sentence) => {
    const error = errorIn(POINTER, dynamic(text));
    expect(error).toMatchObject({ code: "MALFORMED", facts: { file: "/etc/zk.dynamic" } });
    expect(error.message).toContain(sentence);
  });
});

test("errors without a file name the flag or the option", () => {
  const environment = { JVMFLAGS: "-Dzookeeper.maxCnxns=x" };
  expect(errorOf(() => readWithoutFile({ environment })).message).toMatch(/^JVMFLAGS: maxCnxns: expected/);
  expect(errorOf(() => readWithoutFile({ options: { tickTime: "0" } })).message).toMatch(
    /^--tickTime: tickTime: expected/,
  );
});
