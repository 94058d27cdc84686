import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PEER_PACKAGES, type PeerName } from "./peer-packages.js";

/** A client that can be measured: how its driver is started, and what it is called in tables. */
export interface ClientKind {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly isOurs: boolean;
  /** The npm package it needs. */
  readonly peer?: PeerName;
  readonly connectionThread?: boolean;
  /** Rejects where it is not installed. */
  version(): Promise<string>;
}

const node = (driver: string): ClientKind["command"] => [
  process.execPath,
  fileURLToPath(new URL(`./drivers/${driver}.js`, import.meta.url)),
];

async function ownVersion(): Promise<string> {
  const manifest = new URL("../../../packages/client/package.json", import.meta.url);
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** Python is not compiled: it is run from where it was written. */
const KAZOO_DRIVER = fileURLToPath(new URL("../../src/clients/drivers/kazoo-client.py", import.meta.url));
/** Debian's package python3-kazoo serves Debian's Python alone, so that one goes first. */
const PYTHON = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

async function kazooVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)(PYTHON, ["-c", "import kazoo; print(kazoo.__version__)"]);
  return stdout.trim();
}

export const clientKinds: readonly ClientKind[] = [
  { name: "Watchkeeper", command: node("watchkeeper"), isOurs: true, version: ownVersion },
  {
    name: "Watchkeeper (thread)",
    command: node("watchkeeper"),
    isOurs: true,
    connectionThread: true,
    version: ownVersion,
  },
  ...(["node-zookeeper-client", "zookeeper"] as const).map((peer) => ({
    name: peer,
    command: node(peer),
    isOurs: false,
    peer,
    version: async () => PEER_PACKAGES[peer],
  })),
  { name: "kazoo", command: [PYTHON, KAZOO_DRIVER], isOurs: false, version: kazooVersion },
];
