import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The npm clients that ours is compared with. They are no dependencies of the project: only this command wants them. */
export const PEER_PACKAGES = { "node-zookeeper-client": "1.1.3", zookeeper: "7.3.0" } as const;
export type PeerName = keyof typeof PEER_PACKAGES;

export const PEER_FOLDER = fileURLToPath(new URL("../../../node_modules/.cache/bench-clients/", import.meta.url));

/** The native one is compiled where it brings no binary for this machine. */
const INSTALL_MS_MAX = 10 * 60_000;

export function isInstalled(name: PeerName): boolean {
  const manifest = join(PEER_FOLDER, "node_modules", name, "package.json");
  if (!existsSync(manifest)) return false;
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version === PEER_PACKAGES[name];
}

/** Lets npm install one package, beside those that are there. Rejects with a sentence that says what to do. */
export async function installPeer(name: PeerName): Promise<void> {
  mkdirSync(PEER_FOLDER, { recursive: true });
  const manifest = join(PEER_FOLDER, "package.json");
  if (!existsSync(manifest)) writeFileSync(manifest, `${JSON.stringify({ private: true })}\n`);
  const args = ["install", "--no-audit", "--no-fund", "--save-exact", `${name}@${PEER_PACKAGES[name]}`];
  try {
    await promisify(execFile)("npm", args, { cwd: PEER_FOLDER, timeout: INSTALL_MS_MAX });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split("\n").slice(-5).join("\n  ");
    throw new Error(
      `npm could not install ${name} ${PEER_PACKAGES[name]} in ${PEER_FOLDER}. Try it there by hand ` +
        `(npm ${args.join(" ")}), or leave it out with --without ${name}. npm said:\n  ${said ?? String(error)}`,
    );
  }
}
