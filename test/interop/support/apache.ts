/**
 * Apache's own server, version 3.8.0 as Debian packages it: the reference every program of this folder
 * must pass against, and the other side of every test of files and of the ensemble protocol.
 */
import { classPath, quickJvmFlags, requireJava } from "./java.js";
import { type ServerOptions, type ServerProcess, startServerProcess } from "./server-process.js";

export interface ApacheOptions extends ServerOptions {
  /** System properties that exist only as -D, such as `znode.container.checkIntervalMs` or `jute.maxbuffer`. */
  readonly javaProperties?: Readonly<Record<string, string>>;
  /** Flags of the JVM itself, such as the size of its heap. */
  readonly jvmFlags?: readonly string[];
}

export function startApache(options: ApacheOptions = {}): Promise<ServerProcess> {
  requireJava();
  const jars = classPath(["zookeeper", "slf4j-simple"], "libzookeeper-java libslf4j-java");
  const properties = Object.entries(options.javaProperties ?? {}).map(([key, value]) => `-D${key}=${value}`);
  const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
  return startServerProcess(
    {
      name: "Apache ZooKeeper 3.8.0",
      command: "java",
      args: (configFile) => [
        ...quickJvmFlags,
        ...(options.jvmFlags ?? []),
        ...properties,
        "-cp",
        jars,
        main,
        configFile,
      ],
      cwd: import.meta.dirname,
    },
    options,
  );
}
