import { BulkSession } from "../load/bulk-session.js";
import { appendFrame, frames, nodeData } from "../load/request-frames.js";
import type { ServerKind } from "../servers/server-kind.js";
import { EnsembleHome } from "./ensemble-home.js";

const PATH = "/catch-up";

/** How long a follower that was away for so many writes takes from the start of its process to being in step. */
export async function* catchUps(kind: ServerKind, writes: number, trials: number): AsyncIterable<number> {
  const home = await EnsembleHome.start(kind, 3);
  try {
    const leader = await home.leader();
    const follower = home.servers.find((server) => server !== leader)!;
    const session = await BulkSession.open(leader.target);
    await session.ask(frames.create(PATH, nodeData(100), 0));
    const frame = frames.setData(PATH, nodeData(100));
    for (let trial = 0; trial < trials; trial++) {
      follower.kill();
      await session.pipeline(writes, (writer) => appendFrame(writer, frame));
      const { zxid } = (await leader.state())!;
      const startedMs = performance.now();
      follower.start();
      await home.until("the follower to be in step", async () => ((await follower.state())?.zxid ?? 0) >= zxid);
      yield performance.now() - startedMs;
    }
    await session.close();
  } finally {
    home.remove();
  }
}
