import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What is there already and exports next to nothing: what Node itself takes for an import. */
const NOTHING = "node:diagnostics_channel";

export interface ImportTimes {
  /** Milliseconds that `import` takes in fresh processes. */
  readonly client: readonly number[];
  /** The same for next to nothing, in turn with the client. */
  readonly nothing: readonly number[];
}

/** The first import warms the disk and does not count. */
export async function importTimes(application: string, trials: number): Promise<ImportTimes> {
  const times: { client: number[]; nothing: number[] } = { client: [], nothing: [] };
  await importTime(application, "@watchkeeper/client");
  for (let i = 0; i < trials; i++) {
    times.client.push(await importTime(application, "@watchkeeper/client"));
    times.nothing.push(await importTime(application, NOTHING));
  }
  return times;
}

async function importTime(application: string, name: string): Promise<number> {
  const program = `
    const startedMs = performance.now();
    await import("${name}");
    process.stdout.write(String(performance.now() - startedMs));
  `;
  const args = ["--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: application });
  return Number(stdout);
}
