import { expect, test } from "vitest";
import { readJvmFlags } from "../../../src/service/config/jvm-flags.js";
import { MINIMAL, readWithoutFile, readZooCfg, warningsOf } from "./read-zoo-cfg.js";

function properties(flags: string): Record<string, string> {
  return Object.fromEntries(readJvmFlags({ SERVER_JVMFLAGS: flags }).map(({ name, value }) => [name, value]));
}

test("-D flags are read, other flags of a JVM are not", () => {
  const flags = "-Xmx2g -Dzookeeper.snapCount=10  -XX:+UseG1GC\n-Djute.maxbuffer=0x9fffff -javaagent:x.jar=D=1 -D";
  expect(properties(flags)).toEqual({ "zookeeper.snapCount": "10", "jute.maxbuffer": "0x9fffff" });
});

test.each([
  [`-Da="b c"`, "b c"],
  [`"-Da=b c"`, "b c"],
  [`-Da='b "c"'`, 'b "c"'],
  [`-Da="b \\"c\\" \\d"`, 'b "c" \\d'],
  ["-Da=b\\ c", "b c"],
  [`-Da="b c`, "b c"],
  ["-Da=b=c", "b=c"],
  ["-Da=", ""],
  ["-Da", ""],
])("%s gives a the value %j", (flags, value) => {
  expect(properties(flags)).toEqual({ a: value });
});

test("JVMFLAGS come after SERVER_JVMFLAGS, and the last counts", () => {
  const environment = { JVMFLAGS: "-Dzookeeper.snapCount=7", SERVER_JVMFLAGS: "-Dzookeeper.snapCount=5" };
  expect(readZooCfg(MINIMAL, { environment }).settings.snapCount).toBe(7);
});

test("ZooKeeper's properties set what the file would, those without the prefix included", () => {
  const flags = [
    "-Dzookeeper.preAllocSize=64",
    "-Djute.maxbuffer=0x400000",
    "-Dreadonlymode.enabled=true",
    "-Dznode.container.checkIntervalMs=500",
    "-Dfsync.warningthresholdms=20",
    "-Dzookeeper.4lw.commands.whitelist=*",
  ];
  const { settings, warnings } = readWithoutFile({ environment: { SERVER_JVMFLAGS: flags.join(" ") } });
  expect(settings).toMatchObject({
    preAllocBytes: 65_536,
    frameBytesMax: 4_194_304,
    recordExtraBytes: 4_194_304,
    readOnlyModeEnabled: true,
    containerCheckIntervalMs: 500,
    fsyncWarningMs: 20,
    fourLetterWords: "*",
  });
  expect(warnings).toEqual([]);
});

test("the file outranks a flag for the same key, and an option outranks both", () => {
  const environment = { SERVER_JVMFLAGS: "-Dzookeeper.snapCount=5 -Dzookeeper.maxCnxns=9" };
  expect(readZooCfg(`${MINIMAL}snapCount=6`, { environment }).settings).toMatchObject({
    snapCount: 6,
    connectionsMax: 9,
  });
  const options = { snapCount: "7", "jute.maxbuffer": "2000000" };
  expect(readZooCfg(`${MINIMAL}snapCount=6`, { environment, options }).settings).toMatchObject({
    snapCount: 7,
    frameBytesMax: 2_000_000,
  });
});

test("a flag that Apache reads only from the file is ignored, and the warning says where it belongs", () => {
  const environment = { JVMFLAGS: "-Dzookeeper.maxClientCnxns=5 -Dzookeeper.jute.maxbuffer=5" };
  expect(readZooCfg(MINIMAL, { environment }).settings).toMatchObject({
    connectionsPerAddressMax: 60,
    frameBytesMax: 1_048_575,
  });
  expect(warningsOf("", { environment }).map(({ message }) => message)).toEqual([
    "JVMFLAGS: zookeeper.maxClientCnxns is ignored, as with Apache: it is read only from the configuration file, as maxClientCnxns.",
    "JVMFLAGS: zookeeper.jute.maxbuffer is ignored, as with Apache: it is read only as the JVM flag -Djute.maxbuffer.",
  ]);
});

test("a key without the prefix is ignored in the file, as with Apache, and the warning says where it belongs", () => {
  const lines = "jute.maxbuffer=4194304\nzookeeper.readonlymode.enabled=true";
  expect(readZooCfg(MINIMAL + lines).settings).toMatchObject({ frameBytesMax: 1_048_575, readOnlyModeEnabled: false });
  expect(warningsOf(lines)).toMatchObject([
    { code: "NOT_READ_HERE", key: "readonlymode.enabled", line: 4 },
    {
      code: "NOT_READ_HERE",
      line: 3,
      message:
        "zoo.cfg line 3: jute.maxbuffer is ignored, as with Apache: it is read only as the JVM flag -Djute.maxbuffer.",
    },
  ]);
});

test("a misspelled ZooKeeper property is a warning, a property of something else is not", () => {
  const environment = { SERVER_JVMFLAGS: "-Dzookeeper.snapcount=5 -Dcom.sun.management.jmxremote -Duser.home=x" };
  expect(warningsOf("", { environment })).toMatchObject([
    { code: "UNKNOWN_KEY", key: "zookeeper.snapcount", nearest: "snapCount" },
  ]);
});

test("flags of Apache's clients and log files are no reason to warn", () => {
  const environment = { JVMFLAGS: "-Dzookeeper.log.dir=logs -Dzookeeper.sasl.client=false" };
  expect(warningsOf("", { environment }).map(({ level }) => level)).toEqual(["info", "info"]);
});

test("ZOO_DATADIR_AUTOCREATE_DISABLE does what it does in Apache's start script", () => {
  const environment = { ZOO_DATADIR_AUTOCREATE_DISABLE: "1" };
  expect(readZooCfg(MINIMAL, { environment }).settings.dataDirAutocreate).toBe(false);
  expect(readZooCfg(`${MINIMAL}datadir.autocreate=true`, { environment }).settings.dataDirAutocreate).toBe(true);
});

test("a malformed flag names the variable it stands in", () => {
  expect(() => readZooCfg(MINIMAL, { environment: { SERVER_JVMFLAGS: "-Djute.maxbuffer=4m" } })).toThrow(
    'SERVER_JVMFLAGS: jute.maxbuffer: expected a whole number of bytes, found "4m".',
  );
});
