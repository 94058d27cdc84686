import { describe, expect, test } from "vitest";
import { MINIMAL, readWithoutFile, readZooCfg, WORKING_DIRECTORY, warningsOf } from "./read-zoo-cfg.js";

/** The keys and the shape of the sample file that Apache ships. */
const SAMPLE = `# the length of a tick
tickTime=2000
# ticks for the first synchronization
initLimit=10
# ticks between a request and its acknowledgement
syncLimit=5
# example only
dataDir=/var/lib/zookeeper
clientPort=2181
#maxClientCnxns=60
#autopurge.snapRetainCount=3
#autopurge.purgeInterval=1

## Metrics Providers
#metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
#metricsProvider.httpPort=7000
`;

describe("a file", () => {
  test("Apache's sample gives Apache's settings, and a recommendation to purge", () => {
    const { settings, warnings } = readZooCfg(SAMPLE);
    expect(settings).toEqual({
      clientAddress: { host: "0.0.0.0", port: 2181 },
      listenBacklog: -1,
      connectionsPerAddressMax: 60,
      connectionsMax: 0,
      outstandingRequestsMax: 1000,
      sessionlessConnectionMs: 10_000,
      tickTimeMs: 2000,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      dataDir: "/var/lib/zookeeper",
      dataLogDir: "/var/lib/zookeeper",
      dataDirAutocreate: true,
      databaseAutocreate: true,
      trustEmptySnapshot: false,
      digestEnabled: true,
      preAllocBytes: 67_108_864,
      forceSync: true,
      fsyncWarningMs: 1000,
      txnLogFileBytesMax: 0,
      snapCount: 100_000,
      snapLogBytesMax: 4_294_967_296,
      snapshotCompression: "none",
      snapshotZxidSection: true,
      purgeRetainCount: 3,
      purgeIntervalMs: 0,
      frameBytesMax: 1_048_575,
      recordExtraBytes: 1_048_575,
      extendedTypesEnabled: false,
      containerCheckIntervalMs: 60_000,
      containerDeletionsPerMinuteMax: 10_000,
      containerNeverUsedMs: 0,
      enforceQuota: false,
      skipAcl: false,
      digestAuthEnabled: true,
      digestAlgorithm: "sha1",
      fourLetterWords: ["srvr", "ruok", "mntr", "isro"],
      readOnlyModeEnabled: false,
      reconfigEnabled: false,
    });
    expect(warnings).toMatchObject([{ code: "RECOMMENDED", level: "warn", key: "autopurge.purgeInterval" }]);
    expect(warnings[0]?.message).toContain("autopurge.purgeInterval=1");
  });

  test("a tick is 3000 ms where the file does not say", () => {
    expect(readZooCfg(MINIMAL).settings).toMatchObject({
      tickTimeMs: 3000,
      minSessionTimeoutMs: 6000,
      maxSessionTimeoutMs: 60_000,
    });
  });

  test("what a measuring tool writes into its file is not worth a word", () => {
    const lines =
      "tickTime=2000\ninitLimit=10\nsyncLimit=5\nmaxClientCnxns=0\n4lw.commands.whitelist=*\nadmin.enableServer=false";
    expect(warningsOf(lines)).toEqual([]);
    expect(readZooCfg(MINIMAL + lines).settings).toMatchObject({ connectionsPerAddressMax: 0, fourLetterWords: "*" });
  });

  test.each([
    ["clientPortAddress=10.1.2.3", { clientAddress: { host: "10.1.2.3", port: 2181 } }],
    ["clientPortAddress=[::1]", { clientAddress: { host: "::1", port: 2181 } }],
    ["clientPortAddress=::1", { clientAddress: { host: "::1", port: 2181 } }],
    ["clientPort = 02182", { clientAddress: { host: "0.0.0.0", port: 2182 } }],
    ["dataLogDir=/var/log/zk", { dataDir: "/var/lib/zookeeper", dataLogDir: "/var/log/zk" }],
    ["tickTime=100\nmaxSessionTimeout=5000", { minSessionTimeoutMs: 200, maxSessionTimeoutMs: 5000 }],
    ["minSessionTimeout=-1\nmaxSessionTimeout=-1", { minSessionTimeoutMs: 6000, maxSessionTimeoutMs: 60_000 }],
    ["maxClientCnxns=-1\nmaxCnxns=7", { connectionsPerAddressMax: 0, connectionsMax: 7 }],
    ["preAllocSize=-1", { preAllocBytes: 0 }],
    ["preAllocSize=0x10", { preAllocBytes: 16_384 }],
    ["snapSizeLimitInKb=-1\ntxnLogSizeLimitInKb=8", { snapLogBytesMax: 0, txnLogFileBytesMax: 8192 }],
    ["autopurge.purgeInterval=2\nautopurge.snapRetainCount=5", { purgeIntervalMs: 7_200_000, purgeRetainCount: 5 }],
    ["autopurge.purgeInterval=90m", { purgeIntervalMs: 5_400_000 }],
    ["autopurge.purgeInterval=1D", { purgeIntervalMs: 86_400_000 }],
    ["autopurge.purgeInterval=-1", { purgeIntervalMs: 0 }],
    ["snapshot.compression.method=GZ", { snapshotCompression: "gz" }],
    ["snapshot.compression.method=snappy", { snapshotCompression: "snappy" }],
    ["snapshot.compression.method=", { snapshotCompression: "none" }],
    ["jute.maxbuffer.extrasize=5", { recordExtraBytes: 1024 }],
    ["standaloneEnabled=TRUE\nreconfigEnabled=True", { reconfigEnabled: true }],
    ["digest.enabled=false", { digestEnabled: false }],
    ["DigestAuthenticationProvider.digestAlg=sha-256", { digestAlgorithm: "sha256" }],
    ["DigestAuthenticationProvider.enabled=false", { digestAuthEnabled: false }],
    ["DigestAuthenticationProvider.superDigest=super\\:abc/+Q==", { superDigest: "super:abc/+Q==" }],
    ["4lw.commands.whitelist= stat , ruok,,ruok", { fourLetterWords: ["stat", "ruok", "srvr"] }],
    ["4lw.commands.whitelist=", { fourLetterWords: ["srvr"] }],
    ["zookeeper.enforceQuota=true", { enforceQuota: true }],
    ["nio.sessionlessCnxnTimeout=500", { sessionlessConnectionMs: 500 }],
  ])("%j", (lines, expected) => {
    expect(readZooCfg(MINIMAL + lines).settings).toMatchObject(expected);
    expect(warningsOf(lines).filter(({ code }) => code !== "SET_TWICE")).toEqual([]);
  });

  test("read-only mode allows the word that asks for it", () => {
    const environment = { SERVER_JVMFLAGS: "-Dreadonlymode.enabled=true" };
    const { settings } = readZooCfg(`${MINIMAL}4lw.commands.whitelist=ruok`, { environment });
    expect(settings.fourLetterWords).toEqual(["ruok", "srvr", "isro"]);
  });

  test("a relative data directory starts at the working directory, with Apache's warning unless it begins with ./", () => {
    const bare = readZooCfg("dataDir=data\ndataLogDir=./log\nclientPort=2181");
    expect(bare.settings).toMatchObject({
      dataDir: `${WORKING_DIRECTORY}/data`,
      dataLogDir: `${WORKING_DIRECTORY}/log`,
    });
    expect(bare.warnings.filter(({ key }) => key?.startsWith("data"))).toMatchObject([
      {
        code: "TAKEN_AS",
        line: 1,
        message: `zoo.cfg line 1: dataDir=data is relative. Prepend ./ to indicate that you're sure! It is taken as ${WORKING_DIRECTORY}/data.`,
      },
    ]);
  });

  test("of a key that is set twice the last counts, and a warning names both lines", () => {
    expect(readZooCfg(`${MINIMAL}tickTime=1000\ntickTime=500`).settings.tickTimeMs).toBe(500);
    expect(warningsOf("tickTime=1000\ntickTime=500")).toMatchObject([
      { code: "SET_TWICE", message: "zoo.cfg line 4: tickTime is set twice; this line counts, not line 3." },
    ]);
  });

  test("a key without the prefix outranks the same one with it, wherever they stand", () => {
    expect(readZooCfg(`${MINIMAL}snapCount=6\nzookeeper.snapCount=9`).settings.snapCount).toBe(6);
  });
});

describe("without a file", () => {
  test("a server on loopback with its data beside it, that keeps its disk tidy", () => {
    const { settings, warnings } = readWithoutFile();
    expect(settings).toMatchObject({
      clientAddress: { host: "127.0.0.1", port: 2181 },
      dataDir: `${WORKING_DIRECTORY}/watchkeeper-data`,
      dataLogDir: `${WORKING_DIRECTORY}/watchkeeper-data`,
      tickTimeMs: 2000,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      purgeIntervalMs: 3_600_000,
      purgeRetainCount: 3,
    });
    expect(warnings).toEqual([]);
  });

  test("options set any key; port 0 asks for a free port", () => {
    const options = { clientPort: "0", dataDir: "elsewhere", tickTime: "500" };
    const { settings, warnings } = readWithoutFile({ options });
    expect(settings).toMatchObject({
      clientAddress: { host: "127.0.0.1", port: 0 },
      dataDir: `${WORKING_DIRECTORY}/elsewhere`,
      maxSessionTimeoutMs: 10_000,
    });
    expect(warnings).toEqual([]);
  });

  test("a malformed option is named as it was typed", () => {
    expect(() => readWithoutFile({ options: { clientPort: "http" } })).toThrow(
      '--clientPort: clientPort: expected a port from 1 to 65535, found "http".',
    );
  });
});

describe("warnings", () => {
  test("an unknown key is named with the nearest known one", () => {
    expect(warningsOf("clientport=2182\nfoo.bar.baz.qux=1")).toMatchObject([
      {
        code: "UNKNOWN_KEY",
        level: "warn",
        file: "zoo.cfg",
        line: 3,
        key: "clientport",
        nearest: "clientPort",
        message: 'zoo.cfg line 3: unknown key "clientport", ignored; did you mean clientPort?',
      },
      { code: "UNKNOWN_KEY", line: 4, message: expect.stringMatching(/ignored; the nearest known key is \S+\.$/) },
    ]);
  });

  test("a key that is not supported yet is named with what happens instead", () => {
    expect(warningsOf("audit.enable=true")).toMatchObject([
      {
        code: "NOT_SUPPORTED_YET",
        level: "warn",
        message: "zoo.cfg line 3: audit.enable=true is not supported yet: no audit log is written.",
      },
    ]);
  });

  test.each([
    "admin.enableServer=true",
    "admin.serverPort=9090",
    "closeSessionTxn.enabled=false",
    "emulate353TTLNodes=true",
    "throttled_op_wait_time=5",
    "largeRequestThreshold=100",
    "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider",
    "metricsProvider.httpPort=7001",
    "localSessionsEnabled=true\nlocalSessionsUpgradingEnabled=true",
    "observerMasterPort=2191\nobserverMaster.sizeLimit=1000",
    "oraclePath=/etc/oracle",
    "ssl.ciphersuites=TLS_AES_128_GCM_SHA256",
    "sasl.serverconfig=Zk",
  ])("%s: one warning", (line) => {
    expect(warningsOf(line).map(({ code }) => code)).toEqual(["NOT_SUPPORTED_YET"]);
  });

  test.each([
    "admin.enableServer=false",
    "admin.enableServer=false\nadmin.serverPort=9090\nadmin.forceHttps=true",
    "audit.enable=FALSE\naudit.impl.class=x.Y",
    "closeSessionTxn.enabled=true",
    "emulate353TTLNodes=false",
    "throttled_op_wait_time=0",
    "metricsProvider.className=org.apache.zookeeper.metrics.impl.NullMetricsProvider",
    "localSessionsEnabled=false",
    "fips-mode=true",
    "leaderServes=yes",
    "electionAlg=3\npeerType=Participant\nstandaloneEnabled=true",
    "initLimit=10\nsyncLimit=5\ncnxTimeout=1\nweight.1=3\nsyncEnabled=true",
    "sslQuorum=false\nportUnification=false\nsslQuorumReloadCertFiles=false",
  ])("%j asks for nothing that is missing, so nothing is said", (lines) => {
    expect(warningsOf(lines)).toEqual([]);
  });

  test("the details of a missing feature are covered by what is said of the feature", () => {
    const lines = "admin.enableServer=true\nadmin.serverPort=9090\nadmin.commandURL=/x";
    expect(warningsOf(lines).map(({ key }) => key)).toEqual(["admin.enableServer"]);
  });

  test.each([
    "nio.numSelectorThreads=4",
    "learner.asyncSending=true",
    "serverCnxnFactory=x.NettyServerCnxnFactory",
    "jvm.pause.monitor=true",
  ])("%s has no effect here, which is worth no more than information", (line) => {
    expect(warningsOf(line)).toMatchObject([{ code: "NO_EFFECT", level: "info" }]);
  });

  test.each([
    ["enforceQuota=yes", 'is taken as false, because only "true" is true here, as with Apache'],
    ["skipACL=true", 'is taken as "no", because only yes and no are understood here, as with Apache'],
    ["forceSync=false", 'is taken as "yes", because only yes and no are understood here, as with Apache'],
    ["clientPortAddress=", "is taken as the loopback address, as with Apache"],
    ["snapCount=1", "is too small: 2 is taken instead"],
    ["autopurge.snapRetainCount=1", "is too small: 3 is taken instead"],
  ])("%s %s", (line, sentence) => {
    const found = warningsOf(line);
    expect(found).toMatchObject([{ code: "TAKEN_AS", line: 3, message: `zoo.cfg line 3: ${line} ${sentence}.` }]);
  });

  test("what reads oddly is taken as the sentence says", () => {
    const { settings } = readZooCfg(
      `${MINIMAL}enforceQuota=yes\nskipACL=true\nforceSync=false\nclientPortAddress=\nsnapCount=1`,
    );
    expect(settings).toMatchObject({
      enforceQuota: false,
      skipAcl: false,
      forceSync: true,
      clientAddress: { host: "127.0.0.1" },
      snapCount: 2,
    });
  });

  test.each(["skipACL=yes", "forceSync=no"])("%s works, and is called dangerous", (line) => {
    expect(warningsOf(line)).toMatchObject([{ code: "DANGEROUS", level: "warn" }]);
  });

  test("purging that is turned off in so many words is not recommended again", () => {
    expect(readZooCfg(`${MINIMAL}autopurge.purgeInterval=0`).warnings).toEqual([]);
  });
});
