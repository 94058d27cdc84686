import { arch, freemem, homedir, hostname, platform, release, totalmem, userInfo } from "node:os";
import { cwd } from "node:process";
import { dataDirectories } from "../directory-sizes.js";
import { SERVER_VERSION } from "../version.js";
import type { WordContext } from "./word-context.js";

export function configuration(context: WordContext): string {
  const { settings } = context;
  const sizes = context.directorySizes();
  const { snapDirectory, logDirectory } = dataDirectories(settings);
  const lines: [string, string | number][] = [
    ["clientPort", context.clientPort()],
    ["secureClientPort", -1],
    ["dataDir", snapDirectory],
    ["dataDirSize", sizes.dataDirBytes],
    ["dataLogDir", logDirectory],
    ["dataLogSize", sizes.logDirBytes],
    ["tickTime", settings.tickTimeMs],
    ["maxClientCnxns", settings.connectionsPerAddressMax],
    ["minSessionTimeout", settings.minSessionTimeoutMs],
    ["maxSessionTimeout", settings.maxSessionTimeoutMs],
    ["clientPortListenBacklog", settings.listenBacklog],
    ["serverId", settings.ensemble?.myid ?? 0],
  ];
  return `${lines.map(([key, value]) => `${key}=${value}\n`).join("")}${ensembleLines(context)}`;
}

/** What a server of an ensemble adds; as with Apache, the last line has no end. */
function ensembleLines({ settings: { ensemble }, ensemble: viewOf }: WordContext): string {
  if (ensemble === undefined) return "";
  const [own] = ensemble.config.members.get(ensemble.myid)?.addresses ?? [];
  const lines: [string, string | number][] = [
    ["initLimit", ensemble.initLimitTicks],
    ["syncLimit", ensemble.syncLimitTicks],
    ["electionAlg", 3],
    ["electionPort", own?.electionPort ?? -1],
    ["quorumPort", own?.quorumPort ?? -1],
    ["peerType", ensemble.role === "observer" ? 1 : 0],
  ];
  const view = viewOf?.();
  const members = view === undefined || view.serves === "read-only" ? "" : `membership: \n${view.config.text}`;
  return `${lines.map(([key, value]) => `${key}=${value}\n`).join("")}${members}`;
}

/** Apache's keys in Apache's order; what only a Java process has is `<NA>`. */
export function environment(): string {
  const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)}MB`;
  const lines: [string, string][] = [
    ["zookeeper.version", SERVER_VERSION],
    ["host.name", hostname()],
    ["java.version", "<NA>"],
    ["java.vendor", "<NA>"],
    ["java.home", "<NA>"],
    ["java.class.path", "<NA>"],
    ["java.library.path", "<NA>"],
    ["java.io.tmpdir", "<NA>"],
    ["java.compiler", "<NA>"],
    ["os.name", platform()],
    ["os.arch", arch()],
    ["os.version", release()],
    ["user.name", asFarAsKnown(() => userInfo().username)],
    ["user.home", asFarAsKnown(homedir)],
    ["user.dir", asFarAsKnown(cwd)],
    ["os.memory.free", mebibytes(freemem())],
    ["os.memory.max", mebibytes(totalmem())],
    ["os.memory.total", mebibytes(process.memoryUsage.rss())],
    ["node.version", process.version],
  ];
  return `Environment:\n${lines.map(([key, value]) => `${key}=${value}\n`).join("")}`;
}

/** The user of a container may have no name, and the directory that the server was started in may be gone: Java's answer. */
function asFarAsKnown(ask: () => string): string {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error && "code" in error) return "?";
    throw error;
  }
}
