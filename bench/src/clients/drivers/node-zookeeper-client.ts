import { createRequire } from "node:module";
import { join } from "node:path";
import { callbackLane, drive } from "../drive.js";

interface NodeZookeeperClient {
  once(event: "connected", listener: () => void): void;
  connect(): void;
  getData(path: string, answered: (error: Error | null) => void): void;
  setData(path: string, data: Buffer, answered: (error: Error | null) => void): void;
}

interface Package {
  createClient(servers: string, options: { sessionTimeout: number }): NodeZookeeperClient;
}

/** npm's `node-zookeeper-client`. */
await drive(async ({ host, port, peerFolder }) => {
  const { createClient } = createRequire(join(peerFolder, "package.json"))("node-zookeeper-client") as Package;
  const client = createClient(`${host}:${port}`, { sessionTimeout: 10_000 });
  await new Promise<void>((resolve) => {
    client.once("connected", resolve);
    client.connect();
  });
  return {
    runLane: (load) =>
      load.operation === "get"
        ? callbackLane(load, (answered) => client.getData(load.nextPath(), answered))
        : callbackLane(load, (answered) => client.setData(load.nextPath(), load.value, answered)),
  };
});
