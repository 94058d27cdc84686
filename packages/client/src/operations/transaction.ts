import type { CallOptions } from "./call-options.js";
import type { NodeContent, NodeOptions } from "./create-options.js";
import type { MultiOperation, MultiResult, MultiResults } from "./multi.js";

type Run = (steps: readonly MultiOperation[], options: CallOptions | undefined) => Promise<MultiResult[]>;
type Step<O extends MultiOperation["op"]> = Extract<MultiOperation, { readonly op: O }>;

/**
 * A `multi` as it is put together. Each step adds to the type of what `commit` returns.
 *
 * ```ts
 * const [created, moved] = await client
 *   .transaction()
 *   .create("/jobs/7/running", "host-7")
 *   .setData("/jobs/7", "running", { version: 3 })
 *   .commit();
 * created.path; // string
 * moved.stat.version; // number
 * ```
 */
export class Transaction<S extends readonly MultiOperation[] = []> {
  private readonly steps: MultiOperation[] = [];
  private readonly run: Run;

  /** Made by `client.transaction`. @internal */
  constructor(run: Run) {
    this.run = run;
  }

  /** Adds a step that creates a node. Its result has the path, with the number of a sequential one. */
  create(path: string, data: NodeContent = null, options: NodeOptions = {}): Transaction<[...S, Step<"create">]> {
    return this.and({ op: "create", path, data, ...options });
  }

  /** Adds a step that deletes a node without children. */
  delete(path: string, options: { readonly version?: number } = {}): Transaction<[...S, Step<"delete">]> {
    return this.and({ op: "delete", path, ...options });
  }

  /** Adds a step that replaces what a node holds. Its result has the new Stat. */
  setData(
    path: string,
    data: NodeContent,
    options: { readonly version?: number } = {},
  ): Transaction<[...S, Step<"setData">]> {
    return this.and({ op: "setData", path, data, ...options });
  }

  /** Lets all fail unless the node is there, with this version of its data where one is given. */
  check(path: string, options: { readonly version?: number } = {}): Transaction<[...S, Step<"check">]> {
    return this.and({ op: "check", path, version: options.version ?? ANY_VERSION });
  }

  /** Carries out all steps, or none. @throws what `multi` does */
  commit(options?: CallOptions): Promise<MultiResults<S>> {
    return this.run([...this.steps], options) as Promise<unknown> as Promise<MultiResults<S>>;
  }

  private and<O extends MultiOperation["op"]>(step: Step<O>): Transaction<[...S, Step<O>]> {
    this.steps.push(step);
    return this as unknown as Transaction<[...S, Step<O>]>;
  }
}

const ANY_VERSION = -1;
