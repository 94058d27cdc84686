import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@watchkeeper/client";
import { describe, expect, onTestFinished, test } from "vitest";

const program = fileURLToPath(new URL("../../bin/watchkeeper.js", import.meta.url));

/** Linux has a file that is a full disk. */
describe.runIf(process.platform === "linux")("on a full disk", () => {
  test("a server whose log lines cannot be written serves all the same", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
    const full = openSync("/dev/full", "w");
    const server = spawn(
      process.execPath,
      [program, "serve", "--port", "0", "--data", dataDir, "--log-level", "debug"],
      { stdio: ["ignore", "pipe", full] },
    );
    closeSync(full);
    onTestFinished(() => {
      server.kill("SIGKILL");
      rmSync(dataDir, { recursive: true, force: true });
    });
    const [welcome] = (await once(server.stdout!, "data")) as [Buffer];
    const client = await connect(/127\.0\.0\.1:\d+/.exec(String(welcome))![0]);
    await client.create("/a", "x");
    expect(String(await client.getData("/a"))).toBe("x");
    await client.close();
    server.kill("SIGTERM");
    expect(await once(server, "exit")).toEqual([0, null]);
  });

  test("a command whose output cannot be written says so in a sentence, and fails", async () => {
    const full = openSync("/dev/full", "w");
    const command = spawn(process.execPath, [program, "--version"], { stdio: ["ignore", full, "pipe"] });
    closeSync(full);
    let stderr = "";
    command.stderr!.on("data", (text: Buffer) => {
      stderr += String(text);
    });
    expect(await once(command, "close")).toEqual([1, null]);
    expect(stderr).toMatch(/^watchkeeper: standard output cannot be written: ENOSPC.*\n$/);
  });
});
