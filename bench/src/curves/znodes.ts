import { nestedKeys } from "../load/key-space.js";
import { createNode, layKeys, withSession } from "../load/nodes.js";
import { nodeData } from "../load/request-frames.js";
import { residentMib } from "../servers/process-figures.js";
import { type Curve, GET_SET_PANELS } from "./curve.js";
import { measureGetAndSet } from "./get-and-set.js";

const VALUE_BYTES = 100;
const ROOT = "/bench";

export const znodes: Curve = {
  name: "znodes",
  title: "As the tree grows",
  sizeLabel: "znodes of 100 bytes",
  method:
    "One server whose tree grows from size to size, a thousand nodes to a directory. At each size: gets and sets of random nodes, one after the other; then the server is stopped with SIGTERM and started again over its data, and the time from the start of its process to the first open session is taken. Snapshots that come due while the sets run are part of their figures.",
  sizes: [1e3, 1e4, 1e5, 1e6],
  panels: [
    ...GET_SET_PANELS,
    {
      title: "Resident memory",
      unit: "MiB",
      measures: [
        { key: "rssMib", label: "after the loads" },
        { key: "restartedRssMib", label: "after the restart" },
      ],
    },
    { title: "Restart to serving", unit: "ms", measures: [{ key: "restartMs", label: "restart" }] },
  ],
  async *measure(home, run) {
    const keys = nestedKeys(ROOT);
    const value = nodeData(VALUE_BYTES);
    let laid = 0;
    for (const size of run.sizes) {
      await withSession(home.target, async (session) => {
        await createNode(session, ROOT, value);
        await layKeys(session, keys, laid, size, value);
      });
      laid = size;
      const figures = await measureGetAndSet(home, run, { root: ROOT, keys: size, nested: true });
      await home.stopServer();
      await home.startServer();
      yield { size, values: { ...figures, restartMs: home.startupMs, restartedRssMib: residentMib(home.pid) } };
    }
  },
};
