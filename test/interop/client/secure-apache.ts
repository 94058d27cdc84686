import { classPath, quickJvmFlags, requireJava } from "../support/java.js";
import { type ServerProcess, startServerProcess } from "../support/server-process.js";

/** Jars of Netty that Debian's manifest of ZooKeeper leaves out. TLS is there with Netty alone. */
const NETTY = ["netty-codec", "netty-resolver", "netty-transport-native-unix-common"];

/** Apache's server with a TLS port and SASL, by the given JAAS file. */
export function startSecureApache(jaasFile: string, configLines: readonly string[]): Promise<ServerProcess> {
  requireJava();
  const jars = classPath(["zookeeper", "slf4j-simple", ...NETTY], "libzookeeper-java libslf4j-java libnetty-java");
  const flags = [...quickJvmFlags, `-Djava.security.auth.login.config=${jaasFile}`, "-cp", jars];
  const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
  return startServerProcess(
    {
      name: "Apache ZooKeeper 3.8.0",
      command: "java",
      args: (configFile) => [...flags, main, configFile],
      cwd: import.meta.dirname,
    },
    { configLines },
  );
}
