import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const WORKSPACE = fileURLToPath(new URL("../../../", import.meta.url));
/** What packing reads and writes, of the workspace. */
const COPIED = [
  "packages/client/package.json",
  "packages/client/README.md",
  "packages/client/dist",
  "packages/wire/dist",
  "dist/pack",
];

/** The client as npm would publish it, in a folder of its own. */
export interface PackedClient extends Disposable {
  /** A folder in which `@watchkeeper/client` is installed, with nothing else. */
  readonly application: string;
  readonly unpackedBytes: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Packs the client as it was compiled. In a copy: packing changes the folder, from which other programs run. */
export async function packClient(): Promise<PackedClient> {
  const copy = mkdtempSync(join(tmpdir(), "watchkeeper-packed-"));
  const remove = (): void => rmSync(copy, { recursive: true, force: true });
  try {
    for (const path of COPIED) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      cpSync(join(WORKSPACE, path), join(copy, path), { recursive: true });
    }
    symlinkSync(join(WORKSPACE, "node_modules"), join(copy, "node_modules"));
    const folder = join(copy, "packages/client");
    await run(process.execPath, [join(copy, "dist/pack/client-package.js")]);
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: folder });
    const [{ unpackedSize, files }] = JSON.parse(stdout) as [{ unpackedSize: number; files: PackedClient["files"] }];
    const application = join(copy, "application");
    mkdirSync(join(application, "node_modules/@watchkeeper"), { recursive: true });
    symlinkSync(folder, join(application, "node_modules/@watchkeeper/client"));
    return { application, unpackedBytes: unpackedSize, files, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}
