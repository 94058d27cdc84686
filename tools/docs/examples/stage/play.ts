import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format, promisify } from "node:util";
import { type Client, connect } from "@watchkeeper/client";
import { startTestServer } from "watchkeeper/testing";
import { until } from "../../../../test/support/until.js";
import { calls, give } from "./given.js";
import { type Scene, scenes } from "./scenes.js";

/**
 * Plays examples one after the other, each against a server and in a directory of its own, and prints as its last line
 * what was wrong with each: null where nothing was.
 */
const parts: readonly { id: string; module: string }[] = JSON.parse(process.argv[2] ?? "[]");
const results: Record<string, string | null> = {};
const print = console.log;
let printed: string[] = [];
console.log = (...given: unknown[]) => void printed.push(format(...given));

for (const { id, module } of parts) {
  const scene = scenes[id] ?? {};
  results[id] = await (scene.isProgram ? run(module) : play(module, scene)).then(
    () => null,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
}
for (const id of Object.keys(scenes)) if (!(id in results)) results[id] = "a scene without an example";
print(JSON.stringify(results));
process.exit(); // examples leave clients and loops behind, as they may

async function run(module: string): Promise<void> {
  await promisify(execFile)(process.execPath, [module], { timeout: 20_000 });
}

async function play(module: string, scene: Scene): Promise<void> {
  const server = await startTestServer();
  const client = await connect(server.connectString);
  const folder = await mkdtemp(join(tmpdir(), "watchkeeper-example-"));
  process.chdir(folder);
  printed = [];
  give(client, server.connectString);
  try {
    for (const [path, version] of Object.entries(scene.nodes ?? {})) await makeNode(client, path, version);
    const end = import(pathToFileURL(module).href);
    const others = scene.meanwhile?.({ client, seen });
    await (scene.isEndless ? Promise.race([others, end.then(endedTooSoon)]) : Promise.all([end, others]));
    for (const line of scene.told ?? []) await seen(line);
  } finally {
    await client.close();
    await server.close();
    process.chdir(tmpdir());
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeNode(client: Client, path: string, version: number): Promise<void> {
  await client.create(path, "");
  for (let i = 0; i < version; i++) await client.setData(path, "");
}

async function seen(what: string, again?: () => Promise<unknown>): Promise<void> {
  const isSeen = async (): Promise<boolean> => {
    if ([...printed, ...calls].includes(what)) return true;
    await again?.();
    return false;
  };
  await until(`"${what}"`, isSeen, 5_000, () => `It told: ${[...printed, ...calls].join("; ")}`);
}

function endedTooSoon(): never {
  throw new Error("it has ended, and should go on for ever");
}
