import { execFile } from "node:child_process";
import { promisify } from "node:util";

const PROGRAM = `
  const startedMs = performance.now();
  await import("@watchkeeper/client");
  process.stdout.write(String(performance.now() - startedMs));
`;

/** Milliseconds that `import` takes in fresh processes, one after the other. The first warms the disk and does not count. */
export async function importTimes(application: string, trials: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i <= trials; i++) {
    const args = ["--input-type=module", "--eval", PROGRAM];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: application });
    if (i > 0) times.push(Number(stdout));
  }
  return times;
}
