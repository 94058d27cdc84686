import { describe, expect, test } from "vitest";
import { errorOf, readZooCfg, type Surroundings } from "./read-zoo-cfg.js";

const DATA = "dataDir=/var/lib/zookeeper";
const HERE = `${DATA}\nclientPort=2181`;
const LIMITS = "initLimit=10\nsyncLimit=5";
const THREE = "server.1=zk1:2888:3888\nserver.2=zk2:2888:3888\nserver.3=zk3:2888:3888";

/** The data directory's myid file, and whatever else there is. */
function myid(text: string, otherFiles: Readonly<Record<string, string>> = {}): Surroundings {
  return { otherFiles: { "/var/lib/zookeeper/myid": text, ...otherFiles } };
}

function read(lines: readonly string[], surroundings: Surroundings = myid("2\n")) {
  return readZooCfg(lines.join("\n"), surroundings);
}

function ensembleIn(lines: readonly string[], surroundings?: Surroundings) {
  const { ensemble } = read(lines, surroundings).settings;
  if (ensemble === undefined) throw new Error("these lines make no ensemble");
  return ensemble;
}

function errorIn(lines: readonly string[], surroundings: Surroundings = myid("2\n")) {
  return errorOf(() => read(lines, surroundings));
}

function warningsIn(lines: readonly string[], surroundings?: Surroundings) {
  return read(lines, surroundings).warnings.filter(({ key }) => key !== "autopurge.purgeInterval");
}

describe("an ensemble", () => {
  test("of Apache's usual file has Apache's settings, and is worth no word", () => {
    const { config, ...settings } = ensembleIn([HERE, "tickTime=2000", LIMITS, THREE]);
    expect(config.text).toBe(
      "server.1=zk1:2888:3888:participant\nserver.2=zk2:2888:3888:participant\nserver.3=zk3:2888:3888:participant\nversion=0",
    );
    expect(settings).toEqual({
      myid: 2,
      role: "participant",
      initLimitTicks: 10,
      syncLimitTicks: 5,
      connectToLearnerMasterLimitTicks: 10,
      leaderServes: true,
      quorumListenOnAllIps: false,
      multiAddressEnabled: false,
      cnxTimeoutMs: 5000,
      quorumCnxnTimeoutMs: 10_000,
      electionPortBindRetry: 3,
      tcpKeepAlive: false,
      minNotificationIntervalMs: 200,
      maxNotificationIntervalMs: 60_000,
      leaderConnectDelayDuringRetryMs: 100,
      maxTimeToWaitForEpochMs: -1,
      maxConcurrentSnapSyncs: 10,
      maxConcurrentDiffSyncs: 100,
      observerReconnectDelayMs: 0,
      observerElectionDelayMs: 200,
      commitLogCount: 500,
      snapshotSizeFactor: 0.33,
      forceSnapshotSync: false,
      syncEnabled: true,
    });
    expect(warningsIn([HERE, LIMITS, THREE])).toEqual([]);
  });

  test.each([
    ["connectToLearnerMasterLimit=3", { connectToLearnerMasterLimitTicks: 3 }],
    ["leaderServes=no", { leaderServes: false }],
    ["quorumListenOnAllIPs=true", { quorumListenOnAllIps: true }],
    ["multiAddress.enabled=true", { multiAddressEnabled: true }],
    ["cnxTimeout=100\nquorumCnxnTimeoutMs=700", { cnxTimeoutMs: 100, quorumCnxnTimeoutMs: 700 }],
    ["electionPortBindRetry=0", { electionPortBindRetry: 0 }],
    ["fastleader.minNotificationInterval=50", { minNotificationIntervalMs: 50 }],
    ["observer.reconnectDelayMs=30000", { observerReconnectDelayMs: 30_000 }],
    ["snapshotSizeFactor=-1\ncommitLogCount=9000", { snapshotSizeFactor: -1, commitLogCount: 9000 }],
  ])("%j", (lines, expected) => {
    expect(ensembleIn([HERE, LIMITS, THREE, lines])).toMatchObject(expected);
    expect(warningsIn([HERE, LIMITS, THREE, lines])).toEqual([]);
  });

  test("a JVM flag sets what the file does not", () => {
    const surroundings = { ...myid("1"), environment: { SERVER_JVMFLAGS: "-Dzookeeper.cnxTimeout=70" } };
    expect(ensembleIn([HERE, LIMITS, THREE], surroundings).cnxTimeoutMs).toBe(70);
  });

  test("the numbers of the lines count, not their order", () => {
    const { config } = ensembleIn([HERE, LIMITS, THREE.split("\n").reverse().join("\n")]);
    expect([...config.members.keys()]).toEqual([1, 2, 3]);
  });

  test("of one server, where it shall not stand alone", () => {
    const lines = [HERE, LIMITS, "server.2=zk2:2888:3888", "standaloneEnabled=false"];
    expect([...ensembleIn(lines).config.voters]).toEqual([2]);
    expect(readZooCfg([HERE, "server.2=zk2:2888:3888"].join("\n"), myid("2")).settings.ensemble).toBeUndefined();
  });

  test("its observers do not vote, and this server's line says whether it is one", () => {
    const lines = [HERE, LIMITS, THREE, "server.4=zk4:2888:3888:observer", "peerType=observer"];
    const { config, role } = ensembleIn(lines, myid("4"));
    expect([role, [...config.voters], [...config.observers]]).toEqual(["observer", [1, 2, 3], [4]]);
    expect(warningsIn(lines, myid("4"))).toEqual([]);
    expect(ensembleIn(lines, myid("3")).role).toBe("participant");
    expect(warningsIn(lines, myid("3"))).toMatchObject([
      {
        code: "TAKEN_AS",
        message:
          "zoo.cfg line 9: Peer type from servers list (participant) doesn't match peerType (observer). Defaulting to servers list.",
      },
    ]);
  });

  test("groups and weights make its quorums hierarchical", () => {
    const { config } = ensembleIn([HERE, LIMITS, THREE, "group.1=1:2:3", "weight.1=2"]);
    expect(config.text).toContain("\ngroup.1=1:2:3\nweight.1=2\nweight.2=1\nweight.3=1\nversion=0");
  });
});

describe("where clients connect", () => {
  const LISTENING = "server.1=a:1:2;2191\nserver.2=b:1:2;b:2192\nserver.3=c:1:2;2193";

  test("is taken from this server's line where the file has no clientPort", () => {
    expect(read([DATA, LIMITS, LISTENING]).settings.clientAddress).toEqual({ host: "b", port: 2192 });
    expect(read([DATA, LIMITS, LISTENING], myid("3")).settings.clientAddress).toEqual({ host: "0.0.0.0", port: 2193 });
  });

  test("may stand in both places only if they agree", () => {
    expect(read([DATA, LIMITS, LISTENING, "clientPort=2192"]).settings.clientAddress.port).toBe(2192);
    const error = errorIn([DATA, LIMITS, LISTENING, "clientPort=2191"]);
    expect(error).toMatchObject({ code: "CONFLICT", facts: { key: "clientPort" } });
    expect(error.message).toContain("zoo.cfg line 5 says b:2192");
  });

  test("must stand in one of them", () => {
    expect(errorIn([DATA, LIMITS, THREE])).toMatchObject({ code: "MISSING", facts: { key: "clientPort" } });
  });
});

describe("what is missing or wrong stops the start", () => {
  test.each([
    [[HERE, THREE], "initLimit", "zoo.cfg: initLimit is not set: .* add a line such as initLimit=10"],
    [[HERE, THREE, "initLimit=0\nsyncLimit=5"], "initLimit", "initLimit is not set"],
    [[HERE, THREE, "initLimit=10"], "syncLimit", "zoo.cfg: syncLimit is not set: .* add a line such as syncLimit=5"],
  ])("%j", (lines, key, sentence) => {
    const error = errorIn(lines);
    expect(error).toMatchObject({ code: "MISSING", exitCode: 2, facts: { file: "zoo.cfg", key } });
    expect(error.message).toMatch(new RegExp(sentence));
  });

  test("no myid: the file is named, and what to write into it", () => {
    const error = errorIn([HERE, LIMITS, THREE], {});
    expect(error).toMatchObject({ code: "MISSING", facts: { file: "/var/lib/zookeeper/myid", key: "myid" } });
    expect(error.message).toBe(
      "/var/lib/zookeeper/myid: myid file is missing: it tells which of the servers 1, 2 and 3 this one is. " +
        "Write the number into it, for server 1 by: echo 1 > /var/lib/zookeeper/myid",
    );
  });

  test.each(["abc", "", "1x"])("a myid of %j", (text) => {
    const error = errorIn([HERE, LIMITS, THREE], myid(text));
    expect(error).toMatchObject({ code: "MALFORMED", facts: { file: "/var/lib/zookeeper/myid", line: 1 } });
  });

  test("a myid that is none of the servers", () => {
    const error = errorIn([HERE, LIMITS, THREE], myid("7"));
    expect(error).toMatchObject({ code: "CONFLICT", facts: { file: "/var/lib/zookeeper/myid", found: "7" } });
    expect(error.message).toContain("My id 7 not in the peer list: the server lines are of 1, 2 and 3.");
    expect(error.message).toContain("server.7=host:quorumPort:electionPort");
  });

  test.each([
    ["initLimit=-1\nsyncLimit=5", "initLimit", "a whole number of ticks, 1 or more"],
    ["initLimit=10\nsyncLimit=-5", "syncLimit", "a whole number of ticks, 1 or more"],
    [`${LIMITS}\nfastleader.minNotificationInterval=0`, "fastleader.minNotificationInterval", "1 or more"],
    [`${LIMITS}\ncnxTimeout=0`, "cnxTimeout", "1 or more"],
    [`${LIMITS}\nelectionPortBindRetry=-1`, "electionPortBindRetry", "0 or more"],
  ])("%j: expected %s %s", (lines, key, expected) => {
    const error = errorIn([HERE, THREE, lines]);
    expect(error).toMatchObject({ code: "MALFORMED", facts: { file: "zoo.cfg", key } });
    expect(error.message).toContain(expected);
  });

  test.each([
    [
      "two servers in one place",
      "server.4=zk1:2999:3888",
      "zk1:3888 is given to server.1 \\(zoo.cfg line 5\\) already",
    ],
    [
      "one server by two keys",
      "server.01=zk9:2888:3888",
      "server.01 and server.1 \\(zoo.cfg line 5\\) are the same server",
    ],
    ["a server in no group", "group.1=1:2", "Server 3 is not in a group"],
    ["a weight and no group", "weight.1=2", "Server 1 is not in a group"],
    ["a server in two groups", "group.1=1:2:3\ngroup.2=3", "Server 3 is in multiple groups: group.1"],
    ["a group of a server that is none", "group.1=1:2:3\ngroup.2=4", "group.2 names server 4, which is no participant"],
    ["no weight at all", "group.1=1:2:3\nweight.1=0\nweight.2=0\nweight.3=0", "every voting server weighs 0"],
  ])("%s", (_case, lines, sentence) => {
    const error = errorIn([HERE, LIMITS, THREE, lines]);
    expect(error).toMatchObject({ code: "CONFLICT", exitCode: 2 });
    expect(error.message).toMatch(new RegExp(`^zoo.cfg line \\d+: ${sentence}`));
  });

  test("lines that cannot be told apart are looked at before what they lack", () => {
    expect(errorIn([HERE, THREE, "group.1=1:2"], {}).message).toContain("Server 3 is not in a group");
  });

  test("members that could be changed at run time, since a server that cannot follow would be lost with the first change", () => {
    const error = errorIn([HERE, LIMITS, THREE, "reconfigEnabled=true"]);
    expect(error).toMatchObject({ code: "ENSEMBLE", exitCode: 2, facts: { line: 8, key: "reconfigEnabled" } });
    expect(error.message).toContain("must not be mixed with servers that can");
    expect(error.message).toContain("Set reconfigEnabled=false on every server");
  });

  test.each(["sslQuorum=true", "quorum.auth.enableSasl=true", "portUnification=true"])(
    "%s is refused, never left out",
    (line) => {
      expect(errorIn([HERE, LIMITS, THREE, line]).code).toBe("SECURITY");
    },
  );
});

describe("warnings", () => {
  test.each([
    [2, "No server failure will be tolerated. You need at least 3 servers, and here are 2 voting servers."],
    [4, "Non-optimal configuration, consider an odd number of servers"],
  ])("%d voting servers", (count, sentence) => {
    const servers = Array.from({ length: count }, (_, index) => `server.${index + 1}=zk${index + 1}:2888:3888`);
    const found = warningsIn([HERE, LIMITS, ...servers]);
    expect(found).toMatchObject([{ code: "RECOMMENDED", level: "warn", line: 5 }]);
    expect(found[0]?.message).toContain(sentence);
  });

  test("a line that stands twice counts where it stands last", () => {
    const lines = [HERE, LIMITS, THREE, "server.1=zk9:2888:3888"];
    expect(ensembleIn(lines).config.text).toMatch(/^server\.1=zk9:/);
    expect(warningsIn(lines)).toMatchObject([{ code: "SET_TWICE", key: "server.1", line: 8 }]);
  });

  test("limits of waiting and of bringing learners up to date", () => {
    const lines = [
      "leader.maxTimeToWaitForEpoch=700",
      "leader.maxConcurrentSnapSyncs=3",
      "leader.maxConcurrentDiffSyncs=4",
    ];
    expect(ensembleIn([HERE, LIMITS, THREE, ...lines])).toMatchObject({
      maxTimeToWaitForEpochMs: 700,
      maxConcurrentSnapSyncs: 3,
      maxConcurrentDiffSyncs: 4,
    });
    expect(warningsIn([HERE, LIMITS, THREE, ...lines])).toEqual([]);
  });

  test("syncEnabled=false is for observers: a voter writes its log, and says that it does", () => {
    const observer = THREE.replace(/server\.2=.*/, (line) => `${line}:observer`);
    expect(ensembleIn([HERE, LIMITS, observer, "peerType=observer", "syncEnabled=false"]).syncEnabled).toBe(false);
    expect(ensembleIn([HERE, LIMITS, THREE, "syncEnabled=false"]).syncEnabled).toBe(true);
    const [info] = warningsIn([HERE, LIMITS, THREE, "syncEnabled=false"]);
    expect(info).toMatchObject({ code: "NO_EFFECT", level: "info" });
    expect(info?.message).toContain("only observers go without");
  });

  test.each([
    ["commitLogCount=5", "is too small: 500 is taken instead", { commitLogCount: 500 }],
    ["snapshotSizeFactor=2", "is more than the whole snapshot: 0.33 is taken instead", { snapshotSizeFactor: 0.33 }],
  ])("%s %s", (line, sentence, expected) => {
    expect(ensembleIn([HERE, LIMITS, THREE, line])).toMatchObject(expected);
    const found = warningsIn([HERE, LIMITS, THREE, line]);
    expect(found).toMatchObject([{ code: "TAKEN_AS", line: 8 }]);
    expect(found[0]?.message).toContain(sentence);
  });

  test.each(["localSessionsEnabled=true", "observerMasterPort=2191", "oraclePath=/oracle"])(
    "%s does without, and says so",
    (line) => {
      expect(warningsIn([HERE, LIMITS, THREE, line]).map(({ code }) => code)).toEqual(["NOT_SUPPORTED_YET"]);
    },
  );
});

describe("a dynamic file", () => {
  const pointTo = (name: string) => [HERE, LIMITS, `dynamicConfigFile=${name}`];

  test.each([
    ["/etc/zoo.cfg.dynamic.100000005", 0x100000005],
    ["/etc/zoo.cfg.dynamic.1A", 0x1a],
    ["/etc/zoo.cfg.dynamic", 0],
    ["/etc/members", 0],
  ])("%s has version %d", (name, version) => {
    const { config } = ensembleIn(pointTo(name), myid("1", { [name]: THREE }));
    expect(config.version).toBe(version);
    expect(config.voters.size).toBe(3);
  });

  test("of a version that no txn can have had is refused", () => {
    const name = "/etc/zoo.cfg.dynamic.ffffffffffffffff";
    const error = errorIn(pointTo(name), myid("1", { [name]: THREE }));
    expect(error).toMatchObject({ code: "MALFORMED", facts: { key: "dynamicConfigFile", line: 5 } });
  });

  test("warns of a line that stands twice, as the main file does", () => {
    const text = `${THREE}\nserver.3=zk9:2888:3888`;
    expect(warningsIn(pointTo("/etc/dyn"), myid("1", { "/etc/dyn": text }))).toMatchObject([
      { code: "SET_TWICE", file: "/etc/dyn", line: 4, key: "server.3" },
    ]);
  });

  test("names itself where its lines do not fit", () => {
    const error = errorIn(pointTo("/etc/dyn"), myid("1", { "/etc/dyn": `${THREE}\ngroup.1=1` }));
    expect(error).toMatchObject({ code: "CONFLICT", facts: { file: "/etc/dyn", line: 2 } });
  });
});
