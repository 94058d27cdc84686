/**
 * What the generator believes to be in the tree, learnt from Apache's replies: so that requests meet
 * existing nodes, right versions and full directories often enough. It may be wrong (nodes vanish with
 * sessions it does not follow); a NoNode corrects it.
 */
import * as wire from "@watchkeeper/wire";
import type { ComparableStat, Item, MultiResult, ReplyItem } from "./reply.js";
import type { Request, RequestValues } from "./request.js";

const { ERR, OP } = wire;

export interface KnownNode {
  version: number;
  aversion: number;
}

export class KnownNodes {
  readonly nodes = new Map<string, KnownNode>([["/", { version: 0, aversion: 0 }]]);
  private list: string[] | undefined;

  get paths(): readonly string[] {
    this.list ??= [...this.nodes.keys()];
    return this.list;
  }

  hasChildren(path: string): boolean {
    const prefix = path === "/" ? "/" : `${path}/`;
    return this.paths.some((one) => one.length > prefix.length && one.startsWith(prefix));
  }

  learn(requests: readonly Request[], items: readonly Item[]): void {
    const replies = items.filter((item) => item.kind === "reply");
    requests.forEach((request, i) => {
      const reply = replies[i];
      if (reply === undefined) return;
      if (request.opcode === OP.multi) this.learnMulti(request, reply);
      else this.learnOne(request.opcode, request.values, reply.err, reply.body);
    });
  }

  private learnMulti(request: Request, reply: ReplyItem): void {
    if (reply.err !== 0 || !Array.isArray(reply.body)) return;
    const results: readonly MultiResult[] = reply.body;
    request.operations.forEach((operation, i) => {
      const result = results[i];
      if (result !== undefined && result.type !== OP.error)
        this.learnOne(operation.opcode, operation.values, 0, result.body);
    });
  }

  private learnOne(opcode: number, values: RequestValues, err: number, body: unknown): void {
    const created = (body as { path?: string } | null)?.path;
    const stat = (body as { stat?: ComparableStat } | null)?.stat;
    const path = isCreate(opcode) && err === 0 ? created : values["path"];
    if (typeof path !== "string" || !path.startsWith("/")) return;
    if (isCreate(opcode) && err === 0) this.put(path, { version: 0, aversion: 0 });
    else if (opcode === OP.delete ? err === 0 : err === ERR.NO_NODE && !isCreate(opcode)) this.remove(path);
    else if (stat !== undefined) this.put(path, { version: stat.version, aversion: stat.aversion });
  }

  private put(path: string, node: KnownNode): void {
    if (!this.nodes.has(path)) this.list = undefined;
    this.nodes.set(path, node);
  }

  private remove(path: string): void {
    if (path === "/") return;
    this.nodes.delete(path);
    for (const one of this.nodes.keys()) if (one.startsWith(`${path}/`)) this.nodes.delete(one);
    this.list = undefined;
  }
}

export function isCreate(opcode: number): boolean {
  return opcode === OP.create || opcode === OP.create2 || opcode === OP.createContainer || opcode === OP.createTTL;
}
