/**
 * What one session's subtree must look like after each of its writes: an obvious tree, kept beside the
 * real one. Only its own session writes below a lane, so that the outcome of every write is known when
 * it is sent, and after a crash the tree must be what the first p writes make of it, for one p.
 */
import type { Acl } from "../support/jute.js";
import type { TreeDump } from "../support/tree-dump.js";

export type LaneWrite =
  | { readonly kind: "create"; readonly path: string; readonly data: string; readonly flags: number }
  | { readonly kind: "set"; readonly path: string; readonly data: string; readonly version: number }
  | { readonly kind: "setAcl"; readonly path: string; readonly acls: readonly Acl[] }
  | { readonly kind: "delete"; readonly path: string }
  | { readonly kind: "check"; readonly path: string; readonly version: number }
  | { readonly kind: "multi"; readonly parts: readonly LaneWrite[] }
  | { readonly kind: "closeSession" };

export const FLAG = { ephemeral: 1, sequential: 2 } as const;

interface ModelNode {
  data: string;
  version: number;
  aversion: number;
  acls: readonly Acl[];
  ephemeral: boolean;
  /** How many children were ever created: what the next sequential one is numbered with. */
  creations: number;
  readonly children: Set<string>;
  /** Unknown where the write was never acknowledged. */
  mzxid: bigint | undefined;
}

export interface Outcome {
  readonly err: number;
  /** Of a create that succeeded. */
  readonly createdPath?: string;
}

const OK: Outcome = { err: 0 };
const ERR = {
  noNode: -101,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
} as const;

export class LaneModel {
  /** Whether the session that owns the ephemerals is still there. */
  sessionIsOpen = true;
  readonly nodes: Map<string, ModelNode>;

  constructor(nodes: Map<string, ModelNode> = new Map()) {
    this.nodes = nodes;
  }

  copy(): LaneModel {
    const nodes = [...this.nodes].map(
      ([path, node]) => [path, { ...node, children: new Set(node.children) }] as [string, ModelNode],
    );
    const copy = new LaneModel(new Map(nodes));
    copy.sessionIsOpen = this.sessionIsOpen;
    return copy;
  }

  /** Takes a write's effect in. `zxid` where the server has told it. */
  apply(write: LaneWrite, zxid?: bigint): Outcome {
    switch (write.kind) {
      case "create":
        return this.create(write, zxid);
      case "set":
        return this.set(write, zxid);
      case "setAcl":
        return this.setAcl(write);
      case "delete":
        return this.delete(write.path);
      case "check":
        return this.check(write);
      case "multi":
        return this.multi(write.parts, zxid);
      case "closeSession":
        this.endSession();
        return OK;
    }
  }

  /** What differs between this model and the nodes of a server; undefined where nothing does. */
  differenceFrom(dump: TreeDump, sessionId: bigint): string | undefined {
    for (const path of dump.keys()) if (!this.nodes.has(path)) return `${path} is there, and should not be`;
    for (const [path, node] of this.nodes) {
      const found = dump.get(path);
      if (found === undefined) return `${path} is missing`;
      const { stat } = found;
      const expected = {
        data: node.data,
        version: node.version,
        aversion: node.aversion,
        acl: aclText(node.acls),
        owner: node.ephemeral ? sessionId : 0n,
        cversion: 2 * node.creations - node.children.size,
        mzxid: node.mzxid ?? stat.mzxid,
      };
      const actual = {
        data: found.data?.toString() ?? "null",
        version: stat.version,
        aversion: stat.aversion,
        acl: aclText(found.acls),
        owner: stat.ephemeralOwner,
        cversion: stat.cversion,
        mzxid: stat.mzxid,
      };
      for (const field of Object.keys(expected) as (keyof typeof expected)[]) {
        if (expected[field] !== actual[field]) {
          return `${path} has ${field} ${actual[field]} where ${expected[field]} is expected`;
        }
      }
    }
    return undefined;
  }

  private create(write: Extract<LaneWrite, { kind: "create" }>, zxid: bigint | undefined): Outcome {
    const parent = this.nodes.get(parentOf(write.path));
    const sequence = (write.flags & FLAG.sequential) === 0 ? "" : `${parent?.creations ?? 0}`.padStart(10, "0");
    const path = write.path + sequence;
    if (parent === undefined && this.nodes.size > 0) return { err: ERR.noNode };
    if (this.nodes.has(path)) return { err: ERR.nodeExists };
    if (parent?.ephemeral === true) return { err: ERR.noChildrenForEphemerals };
    if (parent !== undefined) {
      parent.creations += 1;
      parent.children.add(path);
    }
    const ephemeral = (write.flags & FLAG.ephemeral) !== 0;
    const fresh = { version: 0, aversion: 0, acls: OPEN, creations: 0, children: new Set<string>() };
    this.nodes.set(path, { ...fresh, data: write.data, ephemeral, mzxid: zxid });
    return { err: 0, createdPath: path };
  }

  private set({ path, data, version }: Extract<LaneWrite, { kind: "set" }>, zxid: bigint | undefined): Outcome {
    const checked = this.check({ path, version });
    if (checked.err !== 0) return checked;
    const node = this.nodes.get(path)!;
    node.data = data;
    node.version += 1;
    node.mzxid = zxid;
    return OK;
  }

  private setAcl({ path, acls }: Extract<LaneWrite, { kind: "setAcl" }>): Outcome {
    const node = this.nodes.get(path);
    if (node === undefined) return { err: ERR.noNode };
    node.acls = acls;
    node.aversion += 1;
    return OK;
  }

  private delete(path: string): Outcome {
    const node = this.nodes.get(path);
    if (node === undefined) return { err: ERR.noNode };
    if (node.children.size > 0) return { err: ERR.notEmpty };
    this.remove(path);
    return OK;
  }

  private remove(path: string): void {
    this.nodes.delete(path);
    this.nodes.get(parentOf(path))?.children.delete(path);
  }

  private check({ path, version }: { readonly path: string; readonly version: number }): Outcome {
    const node = this.nodes.get(path);
    if (node === undefined) return { err: ERR.noNode };
    return version === -1 || version === node.version ? OK : { err: ERR.badVersion };
  }

  private multi(parts: readonly LaneWrite[], zxid: bigint | undefined): Outcome {
    const trial = this.copy();
    for (const part of parts) {
      const outcome = trial.apply(part, zxid);
      if (outcome.err !== 0) return outcome;
    }
    for (const part of parts) this.apply(part, zxid);
    return OK;
  }

  private endSession(): void {
    this.sessionIsOpen = false;
    for (const [path, node] of [...this.nodes]) if (node.ephemeral) this.remove(path);
  }
}

const OPEN: readonly Acl[] = [{ perms: 31, scheme: "world", id: "anyone" }];

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function aclText(acls: readonly Acl[]): string {
  return acls.map(({ perms, scheme, id }) => `${perms}:${scheme}:${id}`).join(",");
}
