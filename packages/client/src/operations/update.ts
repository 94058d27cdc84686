import type { Client } from "../client.js";
import { hasCode, ZkError } from "../errors.js";
import type { CallOptions } from "./call-options.js";
import type { NodeContent, NodeOptions } from "./create-options.js";
import { withinDeadline } from "./several-writes.js";
import type { Stat } from "./stat.js";

/** What the loop of `update` takes. */
export interface UpdateOptions extends CallOptions {
  /** Creates the node, as said here, where there is none; `change` is then called with null and null. */
  readonly create?: NodeOptions | undefined;
  /** How often to try when others keep changing the node. @default Infinity */
  readonly attemptsMax?: number | undefined;
}

/** Makes the new contents of the old; undefined leaves the node as it is. */
export type Change = (
  data: Buffer | null,
  stat: Stat | null,
) => NodeContent | undefined | Promise<NodeContent | undefined>;

/** The loop of read, change, and write if nobody was quicker. */
export async function update(client: Client, path: string, change: Change, options: UpdateOptions): Promise<Stat> {
  const { create, attemptsMax = Number.POSITIVE_INFINITY, ...callOptions } = options;
  const left = withinDeadline("update", path, callOptions);
  for (let attempt = 1; ; attempt++) {
    const read = await readOrAbsent(client, path, create !== undefined, left());
    const content = await change(read?.data ?? null, read?.stat ?? null);
    try {
      if (read !== undefined) {
        if (content === undefined) return read.stat;
        return await client.setData(path, content, { ...left(), version: read.stat.version });
      }
      return (await client.createWithStat(path, content ?? null, { ...left(), ...create })).stat;
    } catch (error) {
      const wasQuicker =
        hasCode(error, "BAD_VERSION", "NODE_EXISTS") || (read !== undefined && hasCode(error, "NO_NODE"));
      if (!wasQuicker || (hasCode(error, "NO_NODE") && create === undefined)) throw error;
      if (attempt < attemptsMax) continue;
      const details = `others changed it ${attempt} times meanwhile`;
      throw new ZkError({ code: error.code, outcome: "not-applied", operation: "update", path, details, cause: error });
    }
  }
}

async function readOrAbsent(client: Client, path: string, mayBeAbsent: boolean, options: CallOptions) {
  try {
    return await client.getDataWithStat(path, options);
  } catch (error) {
    if (mayBeAbsent && hasCode(error, "NO_NODE")) return undefined;
    throw error;
  }
}
