/** What the client's tests run against: a server or an ensemble of three, Watchkeeper's and Apache's. */
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { type Client, type ConnectOptions, connect } from "../../../packages/client/dist/index.js";
import { Ensemble } from "../ensemble/support/ensemble.js";
import { startApache } from "../support/apache.js";
import { startWatchkeeper } from "../support/watchkeeper.js";

export interface ServersUnderTest {
  readonly name: string;
  /** `host:port` of every server. */
  readonly connectString: string;
  /** Where one of them is reached, for a proxy before it. */
  readonly port: number;
  /** The session's servers are all of them, or what is behind `port`. */
  client(options?: ConnectOptions & { readonly chroot?: string; readonly port?: number }): Promise<Client>;
}

interface Rig {
  readonly connectString: string;
  readonly port: number;
  stop(): Promise<void>;
}

const rigs: readonly (readonly [name: string, start: () => Promise<Rig>])[] = [
  ["Watchkeeper", () => standalone(startWatchkeeper)],
  ["Apache ZooKeeper 3.8.0", () => standalone(startApache)],
  ["three servers of Watchkeeper", () => ensembleOf("watchkeeper")],
  ["three servers of Apache ZooKeeper 3.8.0", () => ensembleOf("apache")],
];

/** The same tests against all: the client must not know the difference. */
export function againstAll(tests: (servers: ServersUnderTest) => void): void {
  describe.each(rigs)("against %s", (name, start) => {
    let rig: Rig;
    beforeAll(async () => {
      rig = await start();
    });
    afterAll(async () => {
      await rig?.stop();
    });
    tests({
      name,
      get connectString() {
        return rig.connectString;
      },
      get port() {
        return rig.port;
      },
      client: ({ chroot = "", port, ...options } = {}) =>
        clientOf(`${port === undefined ? rig.connectString : `127.0.0.1:${port}`}${chroot}`, options),
    });
  });
}

/** A client that goes with its test. */
export async function clientOf(connectString: string, options: ConnectOptions = {}): Promise<Client> {
  const client = await connect(connectString, { reconnectDelayMsMax: 20, ...options });
  onTestFinished(() => client.close());
  return client;
}

async function standalone(start: typeof startWatchkeeper): Promise<Rig> {
  const { connectString, clientPort, stop } = await start();
  return { connectString, port: clientPort, stop: () => stop() };
}

async function ensembleOf(kind: "watchkeeper" | "apache"): Promise<Rig> {
  const ensemble = await Ensemble.prepare({ kinds: [kind, kind, kind] });
  const stop = (): Promise<void> => ensemble.dispose();
  try {
    await ensemble.startAll();
  } catch (error) {
    await stop();
    throw error;
  }
  return { connectString: ensemble.connectString, port: ensemble.member(1).ports.client, stop };
}
