import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, loadSettings } from "../../service/config/index.js";
import { CliError } from "../cli-error.js";

/**
 * The directory of a local ensemble: `server.N/zoo.cfg`, `server.N/data` with its myid, and `server.N/server.log`.
 * The configurations are the only record of it: what they say is what is started the next time, with
 * whatever was changed in them by hand.
 */
export interface ServerPlace {
  readonly id: number;
  readonly role: "participant" | "observer";
  readonly clientPort: number;
  readonly quorumPort: number;
  readonly electionPort: number;
  readonly configFile: string;
  readonly dataDir: string;
  readonly logFile: string;
}

export interface Shape {
  readonly servers: number;
  readonly observers: number;
}

export interface PeerPorts {
  readonly clientPort: number;
  readonly quorumPort: number;
  readonly electionPort: number;
}

export const HOST = "127.0.0.1";

/** The ensemble that lies in the directory, undefined where there is nothing; an error where there is something else. */
export function readLayout(directory: string): ServerPlace[] | undefined {
  const names = namesIn(directory);
  if (names.length === 0) return undefined;
  const ids = names.flatMap((name) => (/^server\.[1-9]$/.test(name) ? [Number(name.slice("server.".length))] : []));
  if (ids.length === 0) {
    throw new CliError(
      "failure",
      `${directory} is not empty and holds no ensemble: give another directory with --dir, or empty this one`,
    );
  }
  const places = ids.sort((one, other) => one - other).map((id) => readPlace(directory, id));
  places.forEach((place, index) => {
    if (place.id === index + 1) return;
    throw new CliError("failure", `${directory} has no server.${index + 1}: it is not a whole ensemble any more`);
  });
  return places;
}

function namesIn(directory: string): string[] {
  try {
    return existsSync(directory) ? readdirSync(directory) : [];
  } catch (error) {
    throw new CliError("failure", `${directory} cannot be used for an ensemble: ${(error as Error).message}`);
  }
}

function readPlace(directory: string, id: number): ServerPlace {
  const files = filesOf(directory, id);
  const advice = "mend it, or begin anew in another directory with --dir";
  const settings = settingsIn(files.configFile, advice);
  const member = settings.ensemble?.config.members.get(id);
  if (settings.ensemble?.myid !== id || member === undefined) {
    throw new CliError("failure", `${files.configFile} is not the configuration of server ${id}: ${advice}`);
  }
  const { quorumPort, electionPort } = member.addresses[0];
  return {
    id,
    role: member.role,
    clientPort: settings.clientAddress.port,
    quorumPort,
    electionPort,
    ...files,
    dataDir: settings.dataDir,
  };
}

function settingsIn(file: string, advice: string) {
  try {
    return loadSettings({ file, environment: {}, workingDirectory: process.cwd() }).settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError("failure", `${error.message} The ensemble cannot be started like that: ${advice}`);
  }
}

function filesOf(directory: string, id: number): Pick<ServerPlace, "configFile" | "dataDir" | "logFile"> {
  const own = join(directory, `server.${id}`);
  return { configFile: join(own, "zoo.cfg"), dataDir: join(own, "data"), logFile: join(own, "server.log") };
}

export function shapeOf(places: readonly ServerPlace[]): Shape {
  const observers = places.filter(({ role }) => role === "observer").length;
  return { servers: places.length - observers, observers };
}

/** Writes the configurations of a new ensemble. */
export function writeLayout(directory: string, shape: Shape, ports: readonly PeerPorts[]): ServerPlace[] {
  const places = ports.map(
    (own, index): ServerPlace => ({
      id: index + 1,
      role: index < shape.servers ? "participant" : "observer",
      ...own,
      ...filesOf(directory, index + 1),
    }),
  );
  try {
    for (const place of places) {
      mkdirSync(place.dataDir, { recursive: true });
      writeFileSync(join(place.dataDir, "myid"), `${place.id}\n`);
      writeFileSync(place.configFile, configText(place, places));
    }
  } catch (error) {
    throw new CliError("failure", `the ensemble cannot be laid out in ${directory}: ${(error as Error).message}`);
  }
  return places;
}

/** Gives the servers other ports; every other line of their configurations stays as it is. */
export function movePorts(places: readonly ServerPlace[], ports: readonly PeerPorts[]): ServerPlace[] {
  const moved = places.map((place, index): ServerPlace => ({ ...place, ...ports[index]! }));
  for (const { configFile } of moved) {
    const kept = readFileSync(configFile, "latin1")
      .split("\n")
      .filter((line) => !/^\s*(server\.|clientPort\b)/.test(line));
    writeFileSync(configFile, `${kept.join("\n").trimEnd()}\n${serverLines(moved)}`, "latin1");
  }
  return moved;
}

function configText(place: ServerPlace, places: readonly ServerPlace[]): string {
  return `# Server ${place.id} of a local ensemble, written by "watchkeeper ensemble". It is read at every start: change what
# you like. The server lines must be the same in every server's file.
dataDir=${place.dataDir}
tickTime=1000
initLimit=10
syncLimit=5
autopurge.purgeInterval=1
preAllocSize=8192
4lw.commands.whitelist=*
${shapeOf(places).servers === 1 ? "standaloneEnabled=false\n" : ""}${place.role === "observer" ? "peerType=observer\n" : ""}${serverLines(places)}`;
}

function serverLines(places: readonly ServerPlace[]): string {
  return places
    .map(({ id, role, clientPort, quorumPort, electionPort }) => {
      return `server.${id}=${HOST}:${quorumPort}:${electionPort}:${role};${HOST}:${clientPort}\n`;
    })
    .join("");
}
