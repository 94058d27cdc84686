/**
 * Java as Debian packages it: the jars of ZooKeeper and Curator lie in one directory, and each names the
 * jars it needs in its manifest.
 */
import { delimiter, join } from "node:path";
import { requireFile, requireProgram } from "./installed.js";

const jarDirectory = "/usr/share/java";

/** Start-up is most of what these programs do: no optimising compiler, the simplest collector. */
export const quickJvmFlags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] as const;

export function requireJava(): void {
  requireProgram("java", "openjdk-17-jre-headless");
}

/** The class path of these jars, each checked to be there. */
export function classPath(jars: readonly string[], debianPackages: string): string {
  const files = jars.map((jar) => join(jarDirectory, `${jar}.jar`));
  for (const file of files) requireFile(file, debianPackages);
  return files.join(delimiter);
}
