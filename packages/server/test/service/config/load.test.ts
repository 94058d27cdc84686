import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSettings } from "../../../src/service/config/index.js";
import { readSettings } from "../../../src/service/config/settings.js";
import { errorOf } from "./read-zoo-cfg.js";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "watchkeeper-config-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function load(file: string) {
  return loadSettings({ file, environment: {}, workingDirectory: directory });
}

test("a file is read as Java reads it, and named in errors as it was given", () => {
  writeFileSync(join(directory, "zoo.cfg"), Buffer.from("dataDir=/data/\xe9\nclientPort=2182\n", "latin1"));
  expect(load("zoo.cfg").settings).toMatchObject({ dataDir: "/data/é", clientAddress: { port: 2182 } });
  writeFileSync(join(directory, "zoo.cfg"), "clientPort=x");
  expect(errorOf(() => load("zoo.cfg")).message).toMatch(/^zoo.cfg line 1: clientPort: expected/);
});

test("a dynamic file and myid are found where the configuration says", () => {
  mkdirSync(join(directory, "data"));
  writeFileSync(join(directory, "zoo.cfg"), "dataDir=./data\ndynamicConfigFile=members\n");
  expect(errorOf(() => load("zoo.cfg"))).toMatchObject({ code: "UNREADABLE", facts: { file: "members" } });
  writeFileSync(join(directory, "members"), "server.1=localhost:2888:3888;2183\n");
  writeFileSync(join(directory, "data", "myid"), "one\n");
  expect(errorOf(() => load("zoo.cfg")).message).toContain("serverid one is not a number");
  writeFileSync(join(directory, "data", "myid"), "1\n");
  expect(load("zoo.cfg").settings.clientAddress).toEqual({ host: "0.0.0.0", port: 2183 });
});

test("a myid that this user may not read is not taken for one that is missing", () => {
  const readText = (path: string): string => {
    if (path.endsWith("myid")) throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
    return "server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n";
  };
  const text = "dataDir=/data\nclientPort=2181\ninitLimit=5\nsyncLimit=2\ndynamicConfigFile=/members";
  const error = errorOf(() => readSettings({ file: { name: "zoo.cfg", text }, workingDirectory: "/", readText }));
  expect(error).toMatchObject({ code: "UNREADABLE", facts: { file: "/data/myid" } });
  expect(error.message).toContain("this user may not read it (EACCES)");
});

test("a missing file, and a directory in its place, are one sentence each", () => {
  expect(errorOf(() => load("zoo.cfg"))).toMatchObject({
    code: "UNREADABLE",
    exitCode: 2,
    message: "zoo.cfg file is missing: there is no configuration to start from.",
  });
  expect(errorOf(() => load(directory)).message).toBe(`${directory} is a directory: expected a configuration file.`);
});

test("no file at all is a server with defaults", () => {
  const { settings, warnings } = loadSettings({ environment: {}, workingDirectory: directory });
  expect(settings).toMatchObject({
    clientAddress: { host: "127.0.0.1" },
    dataDir: join(directory, "watchkeeper-data"),
  });
  expect(warnings).toEqual([]);
});
