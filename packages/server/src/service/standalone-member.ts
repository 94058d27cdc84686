import { Standalone } from "../replica/index.js";
import type { Member, MemberParts } from "./member.js";

/** A server without peers: it serves as soon as its data is loaded. */
export function standAlone({ database, snapshotter, makeReplica }: MemberParts): Member {
  const { recovered } = database;
  const replica = makeReplica(database, Math.max(0, recovered.lastZxid));
  replica.serve(new Standalone(replica.proposer, replica.pipeline, replica.sessions));
  return {
    replica,
    async prepare() {
      // An empty directory must not be left with a log and no snapshot: no server would start on that.
      if (recovered.snapshot === undefined) await snapshotter.takeFirst(replica);
    },
    async start() {
      if (recovered.snapshot !== undefined && recovered.txnsLoaded > 0) void snapshotter.take(replica);
    },
    async stop() {},
  };
}
