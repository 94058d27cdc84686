import type { MultiOperation, MultiResult } from "../index.js";
import type { ACL } from "./acl.js";
import { ANY_VERSION, createArguments, requireCallback, requirePath } from "./arguments.js";
import { type Stat, statOf } from "./stat.js";

/** The result of one step, under the number of its operation. */
export interface TransactionResult {
  readonly type: number;
  readonly path?: string;
  readonly stat?: Stat;
}

export type TransactionCallback = (error: Error | null, results?: TransactionResult[]) => unknown;

/** Operations that are carried out together, or not at all. */
export class Transaction {
  private readonly steps: MultiOperation[] = [];
  private readonly run: (steps: readonly MultiOperation[], callback: TransactionCallback) => void;

  /** Not for applications: `client.transaction()`. */
  constructor(run: (steps: readonly MultiOperation[], callback: TransactionCallback) => void) {
    this.run = run;
  }

  /** Adds a step that creates a node; arguments as those of `client.create`. */
  create(path: string, ...given: (Buffer | readonly ACL[] | number | null | undefined)[]): this {
    requirePath(path);
    const { data, options } = createArguments(given);
    this.steps.push({ op: "create", path, data, ...options });
    return this;
  }

  /** Adds a step that replaces what a node holds, if it has this version; -1: any. */
  setData(path: string, data: Buffer | null, version: number = ANY_VERSION): this {
    requirePath(path);
    this.steps.push({ op: "setData", path, data, version });
    return this;
  }

  /** Adds a step that lets all fail unless the node is there with this version; -1: any. */
  check(path: string, version: number = ANY_VERSION): this {
    requirePath(path);
    this.steps.push({ op: "check", path, version });
    return this;
  }

  /** Adds a step that deletes a node, if it has this version; -1: any. */
  remove(path: string, version: number = ANY_VERSION): this {
    requirePath(path);
    this.steps.push({ op: "delete", path, version });
    return this;
  }

  /** Carries out all steps, or none. The error says which step failed, in its `cause`. */
  commit(callback: TransactionCallback): void {
    this.run([...this.steps], requireCallback(callback));
  }
}

const types: Readonly<Record<MultiResult["op"], number>> = { create: 1, delete: 2, setData: 5, check: 13 };

export function transactionResult(result: MultiResult): TransactionResult {
  const type = types[result.op];
  if (result.op === "create") return { type, path: result.path };
  return result.op === "setData" ? { type, stat: statOf(result.stat) } : { type };
}
