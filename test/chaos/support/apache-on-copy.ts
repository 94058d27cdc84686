import { type ApacheOptions, startApache } from "../../interop/support/apache.js";
import type { ServerProcess } from "../../interop/support/server-process.js";
import { until } from "../../support/until.js";

/** The last of what 3.8.0 logs when it starts. */
const STARTED = "Using checkIntervalMs";

/**
 * Apache's server, not spoken to before it has loaded its data: a connection that comes earlier can
 * meet a null pointer there (`ZooKeeperServer.removeCnxn`), after which 3.8.0 answers nobody.
 */
export async function startApacheQuietly(options: ApacheOptions): Promise<ServerProcess> {
  const apache = await startApache({ ...options, waitUntilServing: false });
  try {
    await until(`Apache's server to load its data`, () => apache.log().includes(STARTED), 30_000);
    await apache.untilServing();
    return apache;
  } catch (error) {
    const log = apache.log().slice(-4000);
    await apache.stop("SIGKILL");
    throw new Error(`Apache's server did not start on the data directory: ${error}\n${log}`, { cause: error });
  }
}
