import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DataLockedError, lockDataDirectory } from "../../src/service/data-lock.js";
import { createServer } from "../../src/service/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { serve } from "../support/server-under-test.js";
import { until } from "../support/until.js";

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const lockOf = (path: string): string => join(path, "watchkeeper.lock");

test("a second server on a data directory is refused by a sentence that names the pid", async () => {
  const { dataDir } = await serve();
  const second = createServer({ dataDir, port: 0, logger: new KeptLines() });
  await expect(second).rejects.toThrow(DataLockedError);
  await expect(second).rejects.toThrow(
    `the data directory ${dataDir} is in use by another server, process ${process.pid}`,
  );
});

test("the directory is free again when its server has ended", async () => {
  const server = await serve();
  await server.server.close();
  expect(existsSync(lockOf(server.dataDir))).toBe(false);
  await server.start();
});

test("a start that fails for another reason gives the lock back", async () => {
  const { port } = await serve();
  const dataDir = directory();
  await expect(createServer({ dataDir, port, logger: new KeptLines() })).rejects.toMatchObject({ code: "EADDRINUSE" });
  expect(existsSync(lockOf(dataDir))).toBe(false);
});

test("the lock of a process that is gone is taken over", async () => {
  const path = directory();
  const child = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => child.on("exit", resolve));
  writeFileSync(lockOf(path), `${child.pid} 12345 some-boot\n`);
  lockDataDirectory(path)();
});

test.runIf(process.platform === "linux")(
  "so is that of one that was killed and that its parent takes no notice of",
  async () => {
    const path = directory();
    // The shell becomes another program, which does not know that it has a child.
    const shell = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 30"], { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => {
      shell.kill("SIGKILL");
    });
    const [chunk] = (await once(shell.stdout, "data")) as [Buffer];
    const pid = Number(chunk.toString());
    const unlock = lockDataDirectory(path, pid);
    await until(() => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "));
    lockDataDirectory(path)();
    unlock();
  },
);

test("so is one whose number another process has now, and one that says nothing", () => {
  const path = directory();
  for (const content of [`${process.pid} 1 some-other-boot\n`, "", "nonsense\n"]) {
    writeFileSync(lockOf(path), content);
    const unlock = lockDataDirectory(path);
    expect(readFileSync(lockOf(path), "utf8").startsWith(`${process.pid} `)).toBe(true);
    unlock();
  }
});

test("a lock that cannot be read is nobody's to take over: one sentence, and no waiting", () => {
  const path = directory();
  mkdirSync(lockOf(path));
  expect(() => lockDataDirectory(path)).toThrow(`the data directory ${path} cannot be used`);
});

test("a lock that has been taken over is not given back by its old holder", () => {
  const path = directory();
  const unlock = lockDataDirectory(path);
  writeFileSync(lockOf(path), "1 another\n");
  unlock();
  expect(existsSync(lockOf(path))).toBe(true);
});
