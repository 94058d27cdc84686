import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { type Client, type ConnectOptions, connect } from "../../../packages/client/dist/index.js";
import { startApache } from "../support/apache.js";
import type { ServerProcess } from "../support/server-process.js";
import { startWatchkeeper } from "../support/watchkeeper.js";

export interface ServerUnderTest {
  readonly name: string;
  readonly process: ServerProcess;
  client(options?: ConnectOptions & { readonly chroot?: string; readonly port?: number }): Promise<Client>;
}

/** The same tests against Watchkeeper and against Apache's server: the client must not know the difference. */
export function againstBoth(tests: (server: ServerUnderTest) => void): void {
  const servers = [
    ["Watchkeeper", startWatchkeeper],
    ["Apache ZooKeeper 3.8.0", startApache],
  ] as const;
  describe.each(servers)("against %s", (name, start) => {
    let running: ServerProcess;
    beforeAll(async () => {
      running = await start();
    });
    afterAll(async () => {
      await running?.stop();
    });
    tests({
      name,
      get process() {
        return running;
      },
      client: ({ chroot = "", port, ...options } = {}) =>
        clientOf(`127.0.0.1:${port ?? running.clientPort}${chroot}`, options),
    });
  });
}

/** A client that goes with its test. */
export async function clientOf(connectString: string, options: ConnectOptions = {}): Promise<Client> {
  const client = await connect(connectString, { reconnectDelayMsMax: 20, ...options });
  onTestFinished(() => client.close());
  return client;
}
