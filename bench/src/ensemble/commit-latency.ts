import { parseLoad } from "../load/load-spec.js";
import { layNodes } from "../load/nodes.js";
import { type LoadFigures, runLoad } from "../load/run-load.js";
import type { ServerKind } from "../servers/server-kind.js";
import { EnsembleHome } from "./ensemble-home.js";

/** One client at the leader, one write at a time: what is left is the way to a majority's disks and back. */
export async function commitLatency(
  kind: ServerKind,
  size: number,
  load: string,
  seconds: number,
): Promise<LoadFigures> {
  const home = await EnsembleHome.start(kind, size);
  try {
    const leader = await home.leader();
    const spec = parseLoad(load, seconds / 2, seconds);
    await layNodes(leader.target, spec, 1);
    return await runLoad({ target: leader.target, pid: leader.pid, workers: 1 }, spec);
  } finally {
    home.remove();
  }
}
