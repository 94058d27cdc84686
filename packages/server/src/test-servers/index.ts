/**
 * Servers for tests, in the test's own process: they are up within milliseconds, keep their data in memory,
 * listen on real TCP ports of 127.0.0.1, and can be given the troubles that real servers have.
 */
import { TestEnsemble, type TestEnsembleOptions } from "./test-ensemble.js";
import { TestServer, type TestServerOptions } from "./test-server.js";

export type { TestEnsemble, TestEnsembleOptions } from "./test-ensemble.js";
export type { SessionReference, TestServer, TestServerOptions } from "./test-server.js";
export type { TestSettings } from "./test-settings.js";

/**
 * Starts a server of its own for a test; resolves when clients can connect.
 *
 * ```ts
 * const server = await startTestServer();
 * const client = await connect(server.connectString);
 * await server.expireSession(client);
 * await server.close();
 * ```
 *
 * @throws DataLockedError where another server uses the directory, the system's error where the port is taken
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const server = new TestServer(options);
  await server.start();
  return server;
}

/**
 * Starts an ensemble for a test; resolves when it has a leader and every server serves clients.
 *
 * ```ts
 * const ensemble = await startTestEnsemble();
 * const client = await connect(ensemble.connectString);
 * await ensemble.leader?.stop();
 * await ensemble.settled();
 * await ensemble.close();
 * ```
 */
export async function startTestEnsemble(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
  const ensemble = new TestEnsemble(options);
  try {
    await ensemble.start();
  } catch (error) {
    await ensemble.close();
    throw error;
  }
  return ensemble;
}
