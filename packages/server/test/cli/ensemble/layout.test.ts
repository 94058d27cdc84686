import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { movePorts, readLayout, shapeOf, writeLayout } from "../../../src/cli/ensemble/layout.js";
import { checkPorts, freePorts, portsAt } from "../../../src/cli/ensemble/ports.js";
import { loadSettings } from "../../../src/service/config/index.js";

let directory: string;

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "watchkeeper-ensemble-")), "servers");
  const root = join(directory, "..");
  return () => rmSync(root, { recursive: true });
});

const PORTS = [1, 2, 3, 4].map((id) => ({ clientPort: 2180 + id, quorumPort: 2887 + id, electionPort: 3887 + id }));

function settingsOf(id: number) {
  return loadSettings({
    file: join(directory, `server.${id}`, "zoo.cfg"),
    environment: {},
    workingDirectory: directory,
  });
}

describe("the directory of an ensemble", () => {
  test("is written so that every server can be served from it without a warning", () => {
    writeLayout(directory, { servers: 3, observers: 1 }, PORTS);
    for (const id of [1, 2, 3, 4]) {
      const { settings, warnings } = settingsOf(id);
      expect(warnings).toEqual([]);
      expect(settings.clientAddress).toEqual({ host: "127.0.0.1", port: 2180 + id });
      expect(settings.ensemble).toMatchObject({ myid: id, role: id === 4 ? "observer" : "participant" });
    }
    expect(settingsOf(1).settings.ensemble?.config.text).toBe(settingsOf(4).settings.ensemble?.config.text);
  });

  test("is read back as what it was written for, by hand changes included", () => {
    const written = writeLayout(directory, { servers: 3, observers: 1 }, PORTS);
    const found = readLayout(directory)!;
    expect(found).toEqual(written);
    expect(shapeOf(found)).toEqual({ servers: 3, observers: 1 });
  });

  test("of one server is an ensemble of one", () => {
    writeLayout(directory, { servers: 1, observers: 0 }, PORTS.slice(0, 1));
    expect(shapeOf(readLayout(directory)!)).toEqual({ servers: 1, observers: 0 });
  });

  test("that is not there or empty holds none", () => {
    expect(readLayout(directory)).toBeUndefined();
    mkdirSync(directory);
    expect(readLayout(directory)).toBeUndefined();
  });

  test("may be given other ports, and keeps every line that has nothing to do with them", () => {
    const written = writeLayout(directory, { servers: 3, observers: 0 }, PORTS.slice(0, 3));
    const file = written[1]!.configFile;
    writeFileSync(file, `${readFileSync(file, "latin1")}snapCount=777\n`);
    movePorts(
      written,
      PORTS.map(({ clientPort, quorumPort, electionPort }) => ({
        clientPort: clientPort + 1000,
        quorumPort: quorumPort + 1000,
        electionPort: electionPort + 1000,
      })),
    );
    const { settings } = settingsOf(2);
    expect(settings).toMatchObject({ snapCount: 777, tickTimeMs: 1000, clientAddress: { port: 3182 } });
    expect(readLayout(directory)!.map(({ electionPort }) => electionPort)).toEqual([4888, 4889, 4890]);
  });

  test.each([
    ["somebody's own files", () => writeFileSync(join(directory, "photo.jpg"), ""), "holds no ensemble"],
    ["a server that is missing", () => rmSync(join(directory, "server.2"), { recursive: true }), "has no server.2"],
    [
      "a configuration that nobody could start with",
      () => writeFileSync(join(directory, "server.1", "zoo.cfg"), "tickTime=x"),
      "tickTime: expected a whole number",
    ],
    [
      "a server that takes itself for another",
      () => writeFileSync(join(directory, "server.3", "data", "myid"), "2\n"),
      "is not the configuration of server 3",
    ],
  ])("with %s is refused by a sentence", (what, change, sentence) => {
    if (what === "somebody's own files") mkdirSync(directory);
    else writeLayout(directory, { servers: 3, observers: 0 }, PORTS.slice(0, 3));
    change();
    expect(() => readLayout(directory)).toThrow(sentence);
  });
});

describe("ports", () => {
  test("are found free, none twice", async () => {
    const ports = (await freePorts(5)).flatMap((one) => [one.clientPort, one.quorumPort, one.electionPort]);
    expect(new Set(ports).size).toBe(15);
  });

  test("follow each other from the one asked for: clients first", async () => {
    const base = (await freePorts(1))[0]!.clientPort;
    const taken = await portsAt(base, 1);
    expect(taken).toEqual([{ clientPort: base, quorumPort: base + 1, electionPort: base + 2 }]);
  });

  test("in use are named, with what to do", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    await expect(portsAt(port, 1)).rejects.toThrow(
      `port ${port} is in use by another program: choose another --base-port`,
    );
    const places = writeLayout(directory, { servers: 1, observers: 0 }, [
      { clientPort: port, quorumPort: 1, electionPort: 2 },
    ]);
    await expect(checkPorts(places, "here")).rejects.toThrow(
      `port ${port} of server 1 is in use by another program, perhaps by this very ensemble: stop it, ` +
        "or give the servers in here other ports with --base-port",
    );
  });

  test("that do not exist are a mistake on the command line", async () => {
    await expect(portsAt(65_530, 3)).rejects.toMatchObject({ exitCode: 2 });
  });
});
