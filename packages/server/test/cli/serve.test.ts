import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { watchkeeper } from "./run-program.js";

async function emptyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "watchkeeper-serve-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function occupiedPort(): Promise<number> {
  const other: Server = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void other.close());
  return (other.address() as AddressInfo).port;
}

test("an address that no name server knows is named, with the setting it comes from", async () => {
  const { code, stderr } = await watchkeeper("serve", "--host", "zk.invalid", "--data", await emptyDirectory());
  expect(code).toBe(1);
  expect(stderr).toBe(
    "watchkeeper: no address is known for zk.invalid to listen on: correct --host or clientPortAddress\n",
  );
});

test("an election port in use is named, and not the client port", async () => {
  const directory = await emptyDirectory();
  const port = await occupiedPort();
  const file = join(directory, "zoo.cfg");
  const lines = [
    `dataDir=${directory}`,
    "clientPort=2181",
    "initLimit=10",
    "syncLimit=5",
    "electionPortBindRetry=1",
    `server.1=127.0.0.1:11:${port}`,
    "server.2=127.0.0.1:12:22",
    "server.3=127.0.0.1:13:23",
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  await writeFile(join(directory, "myid"), "1\n");
  const { code, stderr } = await watchkeeper("serve", file, "--log-level", "error");
  expect(code).toBe(1);
  expect(stderr).toContain(`watchkeeper: cannot listen on 127.0.0.1:${port} for elections: `);
});
