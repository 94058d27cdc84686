import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A server that can be measured: how it is started in the foreground with a zoo.cfg. */
export interface ServerKind {
  readonly name: string;
  command(configFile: string): readonly [program: string, ...args: string[]];
}

const SERVER_PACKAGE = new URL("../../../packages/server/", import.meta.url);

export const watchkeeper: ServerKind = {
  name: "Watchkeeper",
  command: (configFile) => [
    process.execPath,
    fileURLToPath(new URL("bin/watchkeeper.js", SERVER_PACKAGE)),
    "serve",
    configFile,
  ],
};

/** Any program that takes the path of a zoo.cfg as its last argument, by a line of the shell. */
export function commandServer(name: string, line: string): ServerKind {
  return { name, command: (configFile) => ["sh", "-c", `exec ${line} "$0"`, configFile] };
}

/** Where Debian's package `zookeeper` puts the server. */
const APACHE_JAR = "/usr/share/java/zookeeper.jar";

export const apache: ServerKind = {
  name: "Apache",
  command: (configFile) => [
    "java",
    "-Xmx2g",
    "-cp",
    APACHE_JAR,
    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
    configFile,
  ],
};

export function isApacheInstalled(): boolean {
  return existsSync(APACHE_JAR);
}
