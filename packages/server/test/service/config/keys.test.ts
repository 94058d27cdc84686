import { describe, expect, test } from "vitest";
import { describeKeys, keyTable, matchFileKey, matchProperty, propertyOf } from "../../../src/service/config/keys.js";
import { kinds } from "../../../src/service/config/kinds.js";
import { nearestKey } from "../../../src/service/config/nearest-key.js";

describe("the table", () => {
  test("names no key and no property twice", () => {
    const keys = keyTable.map(({ key }) => key);
    const properties = keyTable.map(propertyOf);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(properties).size).toBe(properties.length);
  });

  test.each(keyTable)("$key has a sentence, a readable default, and details belong to a key that exists", (row) => {
    expect(row.meaning).toMatch(/^[A-Z].*\.$/);
    for (const text of [row.default, row.withoutFile ?? ""]) {
      if (text !== "") expect(kinds[row.kind].read(text, row.default)).toBeDefined();
    }
    if (row.partOf !== undefined) expect(keyTable.map(({ key }) => key)).toContain(row.partOf);
    if (row.family !== undefined) expect(row.key.startsWith(row.family)).toBe(true);
  });

  test("is complete enough to be an operators' page: name, properties, unit, default, meaning, remark", () => {
    const rows = describeKeys();
    expect(rows).toHaveLength(keyTable.length);
    expect(rows.find(({ key }) => key === "preAllocSize")).toEqual({
      group: "Basics",
      key: "preAllocSize",
      properties: ["zookeeper.preAllocSize"],
      inFile: true,
      unit: "KiB",
      expected: "a whole number of KiB",
      default: "65536",
      defaultWithoutFile: "65536",
      support: "supported",
      meaning: "How much of a txn log file is reserved on the disk ahead of writing; 0 reserves nothing.",
      remark: "",
    });
    expect(rows.find(({ key }) => key === "jute.maxbuffer")).toMatchObject({
      properties: ["jute.maxbuffer"],
      inFile: false,
    });
    expect(rows.find(({ key }) => key === "tickTime")).toMatchObject({ properties: [], defaultWithoutFile: "2000" });
    for (const row of rows) expect(row.remark === "").toBe(row.support === "supported");
  });
});

describe("finding a key", () => {
  test.each([
    ["snapCount", "snapCount"],
    ["zookeeper.snapCount", "snapCount"],
    ["observer.syncEnabled", "syncEnabled"],
    ["server.3", "server.N"],
    ["authProvider.sasl", "authProvider.X"],
    ["superUser", "superUser"],
    ["superUser.2", "superUser.SUFFIX"],
    ["metricsProvider.className", "metricsProvider.className"],
    ["metricsProvider.ssl.keyStore.location", "metricsProvider.ssl.X"],
    ["metricsProvider.whatever", "metricsProvider.X"],
    ["ssl.quorum.keyStore.location", "ssl.quorum.keyStore.location"],
  ])("%s in a file is the row %s", (name, key) => {
    expect(matchFileKey(name)).toMatchObject({ row: { key }, inPlace: true });
  });

  test.each(["", "foo", "server.", "server", "zookeeper.", "zookeeper.foo", "clientport", "N"])(
    "%j in a file is no key",
    (name) => {
      expect(matchFileKey(name)).toBeUndefined();
    },
  );

  test.each([
    ["zookeeper.snapCount", "snapCount", true],
    ["zookeeper.observer.syncEnabled", "syncEnabled", true],
    ["zookeeper.authProvider.1", "authProvider.X", true],
    ["fsync.warningthresholdms", "fsync.warningthresholdms", true],
    ["zookeeper.fsync.warningthresholdms", "fsync.warningthresholdms", true],
    ["jute.maxbuffer", "jute.maxbuffer", true],
    ["zookeeper.jute.maxbuffer", "jute.maxbuffer", false],
    ["zookeeper.clientPort", "clientPort", false],
    ["zookeeper.syncEnabled", "syncEnabled", false],
  ])("-D%s is the row %s, read there: %s", (name, key, inPlace) => {
    expect(matchProperty(name)).toMatchObject({ row: { key }, inPlace });
  });

  test.each(["snapCount", "user.home", "log4j.configuration", "zookeeper.foo"])("-D%s is no key", (name) => {
    expect(matchProperty(name)).toBeUndefined();
  });
});

describe("the nearest key", () => {
  test.each([
    ["clientport", "clientPort"],
    ["CLIENTPORT", "clientPort"],
    ["tickTiem", "tickTime"],
    ["dataDirr", "dataDir"],
    ["maxClientCnxn", "maxClientCnxns"],
    ["autopurge.purgeinterval", "autopurge.purgeInterval"],
    ["zookeeper.snapcount", "snapCount"],
    ["sever.12", "server.N"],
    ["4lw.command.whitelist", "4lw.commands.whitelist"],
  ])("to %s is %s, and likely meant", (name, key) => {
    expect(nearestKey(name)).toEqual({ key, likely: true });
  });

  test("is named but not taken for meant where nothing is near", () => {
    expect(nearestKey("completely.different.thing").likely).toBe(false);
    expect(nearestKey("completely.different.thing").key).not.toBe("");
  });
});
