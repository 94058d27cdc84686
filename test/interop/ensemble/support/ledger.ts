/**
 * What must be in the tree after a load whose writes were not all answered: for each path the states it
 * may be in. An acknowledged write leaves one, a write of unknown outcome adds one.
 */
import type { Client } from "@watchkeeper/client";

type NodeState = string | undefined;

export class Ledger {
  acknowledged = 0;
  unknown = 0;
  private readonly possible = new Map<string, Set<NodeState>>();

  wrote(path: string, state: NodeState): void {
    this.acknowledged += 1;
    this.possible.set(path, new Set([state]));
  }

  mayHaveWritten(path: string, state: NodeState): void {
    this.unknown += 1;
    const states = this.possible.get(path) ?? new Set<NodeState>([undefined]);
    states.add(state);
    this.possible.set(path, states);
  }

  /** What is in the tree and should not be, or the other way round. */
  async faults(client: Client): Promise<string[]> {
    const paths = [...this.possible.keys()];
    const found: string[] = [];
    for (let at = 0; at < paths.length; at += PATHS_AT_ONCE) {
      const batch = paths.slice(at, at + PATHS_AT_ONCE);
      const states = await Promise.all(batch.map((path) => stateOf(client, path)));
      batch.forEach((path, i) => {
        const states_ = this.possible.get(path)!;
        if (!states_.has(states[i])) found.push(`${path} is ${states[i]} and should be ${[...states_].join(" or ")}`);
      });
    }
    return found;
  }
}

const PATHS_AT_ONCE = 500;

async function stateOf(client: Client, path: string): Promise<NodeState> {
  try {
    return (await client.getData(path))?.toString() ?? "null";
  } catch (error) {
    if ((error as { code?: string }).code === "NO_NODE") return undefined;
    throw error;
  }
}
