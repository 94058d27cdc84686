import { createRequire } from "node:module";
import { join } from "node:path";
import { callbackLane, drive } from "../drive.js";

type Answered = (code: number, error: string) => void;

interface NativeClient {
  connect(options: Record<string, unknown>, connected: (error: Error | null) => void): void;
  a_get(path: string, watch: boolean, answered: Answered): void;
  a_set(path: string, data: Buffer, version: number, answered: Answered): void;
}

type Package = new (options: Record<string, unknown>) => NativeClient;

const ANY_VERSION = -1;
const OK = 0;
const LOG_ERRORS = 1;

/** npm's `zookeeper`, which wraps ZooKeeper's C client. */
await drive(async ({ host, port, peerFolder }) => {
  const ZooKeeper = createRequire(join(peerFolder, "package.json"))("zookeeper") as Package;
  const options = { connect: `${host}:${port}`, timeout: 10_000, debug_level: LOG_ERRORS };
  const client = new ZooKeeper(options);
  await new Promise<void>((resolve, reject) => {
    client.connect(options, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
  const by =
    (answered: (error: unknown) => void): Answered =>
    (code, error) =>
      answered(code === OK ? null : new Error(`${code}: ${error}`));
  return {
    runLane: (load) =>
      load.operation === "get"
        ? callbackLane(load, (answered) => client.a_get(load.nextPath(), false, by(answered)))
        : callbackLane(load, (answered) => client.a_set(load.nextPath(), load.value, ANY_VERSION, by(answered))),
  };
});
