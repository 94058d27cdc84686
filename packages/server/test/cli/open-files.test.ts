import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@watchkeeper/client";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../support/until.js";

const program = fileURLToPath(new URL("../../bin/watchkeeper.js", import.meta.url));

/** Node needs nearly a hundred while it starts. */
const OPEN_FILES_MAX = 200;

test.runIf(process.platform === "linux")(
  "more clients than the process may have files open are refused and logged, and leave the log and snapshots theirs",
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
    const command = `ulimit -n ${OPEN_FILES_MAX}; exec "$0" "$@"`;
    const config = join(dataDir, "zoo.cfg");
    writeFileSync(config, `dataDir=${dataDir}\nmaxClientCnxns=0\nsnapCount=20\n`);
    const args = [process.execPath, program, "serve", config, "--port", "0"];
    const server = spawn("sh", ["-c", command, ...args]);
    const sockets: Socket[] = [];
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.kill("SIGKILL");
      rmSync(dataDir, { recursive: true, force: true });
    });
    let log = "";
    server.stderr.on("data", (text: Buffer) => {
      log += String(text);
    });
    const [welcome] = (await once(server.stdout, "data")) as [Buffer];
    const port = Number(/listens on \S+:(\d+)/.exec(String(welcome))![1]);
    const client = await connect(`127.0.0.1:${port}`);

    let refused = 0;
    for (let i = 0; i < OPEN_FILES_MAX; i++) {
      const socket = connectSocket(port, "127.0.0.1");
      socket
        .on("error", () => {})
        .on("close", () => {
          refused += 1;
        });
      sockets.push(socket);
    }
    await until(
      () => refused >= OPEN_FILES_MAX / 4,
      () => `refusals, ${refused} until now`,
    );
    expect(log).toContain("Too many connections - max is 150, for the process may open few files");

    await client.create("/a");
    for (let i = 0; i < 60; i++) await client.setData("/a", String(i));
    expect(log).not.toContain("EMFILE");
    for (const socket of sockets) socket.destroy();
    await client.close();
    server.kill("SIGTERM");
    expect(await once(server, "exit")).toEqual([0, null]);
  },
);
