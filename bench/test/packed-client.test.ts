import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { packClient } from "../src/limits/packed-client.js";

const UNPACKED_BYTES_MAX = 250_000;

test("the client, as it is published, is small, complete, and needs nobody else's code", async () => {
  const packed = await packClient();
  onTestFinished(() => packed[Symbol.dispose]());
  const largest = packed.files.toSorted((a, b) => b.size - a.size).slice(0, 10);
  const sizes = largest.map(({ path, size }) => `${size} ${path}`).join("\n");
  expect(packed.unpackedBytes, `bytes unpacked; the largest files:\n${sizes}`).toBeLessThan(UNPACKED_BYTES_MAX);

  const program = `
    const names = await Promise.all(["", "/compat", "/recipes"].map(async (entry) => {
      return Object.keys(await import("@watchkeeper/client" + entry)).length;
    }));
    console.log(Math.min(...names));
  `;
  const args = ["--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: packed.application });
  expect(Number(stdout)).toBeGreaterThan(0);

  const folder = join(packed.application, "node_modules/@watchkeeper/client");
  const scripts = packed.files.filter(({ path }) => path.endsWith(".js"));
  const imported = scripts.flatMap(({ path }) => {
    const code = readFileSync(join(folder, path), "utf8");
    return [...code.matchAll(/(?:from|import\(?)\s*["'`]([^"'`]+)["'`]/g)].map(([, from]) => from!);
  });
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.filter((from) => !from.startsWith("node:") && !from.startsWith("."))).toEqual([]);
});
