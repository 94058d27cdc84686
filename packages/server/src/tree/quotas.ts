import { decodeText, encodeText } from "@watchkeeper/wire";
import { NO_NODE, ROOT } from "./node-store.js";
import type { Tree } from "./tree.js";

/**
 * Quotas: for a subtree /x the ordinary nodes /zookeeper/quota/x/zookeeper_limits, which clients
 * write, and .../zookeeper_stats, whose data servers keep up to date (Apache's `QuotaMaintainer`).
 *
 * Only the deepest quota above a node counts it. The statistics change without version, zxid, watch or
 * log record: every server computes them from the same transactions.
 */
export interface QuotaValues {
  readonly count: number;
  readonly bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
}

interface Quota {
  limits: QuotaValues;
  count: number;
  bytes: number;
  statsNode: number;
}

const QUOTA_PREFIX = "/zookeeper/quota";
const QUOTA_TOP = encodeText(QUOTA_PREFIX);
const LIMITS_NAME = "/zookeeper_limits";
const STATS_NAME = "/zookeeper_stats";

export class Quotas {
  private readonly byPath = new Map<string, Quota>();
  private readonly tree: Tree;

  constructor(tree: Tree) {
    this.tree = tree;
  }

  get isEmpty(): boolean {
    return this.byPath.size === 0;
  }

  /** The deepest quota that covers the path, if any. */
  covering(
    path: string,
  ):
    | { readonly path: string; readonly limits: QuotaValues; readonly count: number; readonly bytes: number }
    | undefined {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const covered = path.slice(0, end);
      const quota = this.byPath.get(covered);
      if (quota !== undefined) return { path: covered, limits: quota.limits, count: quota.count, bytes: quota.bytes };
    }
    return undefined;
  }

  onCreate(path: string, node: number, dataBytes: number): void {
    if (path.startsWith(QUOTA_PREFIX)) this.onQuotaNode(path, node);
    else this.account(path, 1, dataBytes);
  }

  onDelete(path: string, dataBytes: number): void {
    if (!path.startsWith(QUOTA_PREFIX)) {
      this.account(path, -1, -dataBytes);
      return;
    }
    const covered = coveredPath(path, LIMITS_NAME);
    if (covered !== undefined) this.byPath.delete(covered);
    const stats = coveredPath(path, STATS_NAME);
    const quota = stats === undefined ? undefined : this.byPath.get(stats);
    if (quota !== undefined) quota.statsNode = NO_NODE;
  }

  onSetData(path: string, node: number, bytesDifference: number): void {
    if (path.startsWith(QUOTA_PREFIX)) this.onQuotaNode(path, node);
    else if (bytesDifference !== 0) this.account(path, 0, bytesDifference);
  }

  /** After a snapshot was read: every limits node again, every statistic counted anew. */
  rebuild(): void {
    this.byPath.clear();
    const top = this.tree.find(QUOTA_TOP, 0, QUOTA_TOP.length);
    if (top === NO_NODE) return;
    for (let node = this.tree.nodeAfter(top, top); node !== NO_NODE; node = this.tree.nodeAfter(node, top)) {
      const path = this.pathText(node);
      if (path.endsWith(LIMITS_NAME)) this.onQuotaNode(path, node);
    }
  }

  private onQuotaNode(path: string, node: number): void {
    const covered = coveredPath(path, LIMITS_NAME);
    if (covered !== undefined) {
      const stats = encodeText(`${QUOTA_PREFIX}${covered}${STATS_NAME}`);
      const known = this.byPath.get(covered);
      const quota: Quota = {
        limits: parseQuota(this.dataText(node)),
        count: 0,
        bytes: 0,
        statsNode: this.tree.find(stats, 0, stats.length),
      };
      this.byPath.set(covered, quota);
      if (known === undefined) this.recount(covered, quota);
      else {
        quota.count = known.count;
        quota.bytes = known.bytes;
      }
      return;
    }
    const counted = coveredPath(path, STATS_NAME);
    const quota = counted === undefined ? undefined : this.byPath.get(counted);
    if (counted === undefined || quota === undefined) return;
    quota.statsNode = node;
    this.recount(counted, quota);
  }

  private recount(path: string, quota: Quota): void {
    const bytes = encodeText(path);
    const top = this.tree.find(bytes, 0, bytes.length);
    quota.count = 0;
    quota.bytes = 0;
    const quotaNodes = this.tree.find(QUOTA_TOP, 0, QUOTA_TOP.length);
    let node = top;
    while (node !== NO_NODE) {
      // Quotas' own nodes come and go uncounted, so a quota on /zookeeper must not find them here.
      if (node === quotaNodes) {
        node = this.tree.nodeAfterSubtree(node, top);
        continue;
      }
      quota.count += 1;
      quota.bytes += Math.max(0, this.tree.dataLength(node));
      node = this.tree.nodeAfter(node, top);
    }
    this.show(quota);
  }

  private account(path: string, countChange: number, bytesChange: number): void {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const quota = this.byPath.get(path.slice(0, end));
      if (quota === undefined) continue;
      quota.count += countChange;
      quota.bytes += bytesChange;
      this.show(quota);
      return;
    }
  }

  private show(quota: Quota): void {
    if (quota.statsNode !== NO_NODE)
      this.tree.replaceDataOnly(quota.statsNode, encodeText(`count=${quota.count},bytes=${quota.bytes}`));
  }

  private dataText(node: number): string {
    const start = this.tree.replyStart(node) + 4;
    return decodeText(this.tree.cellBytesOf(node), start, start + Math.max(0, this.tree.dataLength(node)));
  }

  private pathText(node: number): string {
    let text = "";
    for (let walk = node; walk !== ROOT; walk = this.tree.parent(walk)) {
      const start = this.tree.nameStart(walk);
      text = `/${decodeText(this.tree.cellBytesOf(walk), start, start + this.tree.nameLength(walk))}${text}`;
    }
    return text;
  }
}

/** The subtree a limits or statistics node speaks of; a quota on the root itself is ignored, as in Apache. */
function coveredPath(path: string, name: string): string | undefined {
  if (!path.endsWith(name)) return undefined;
  const covered = path.slice(QUOTA_PREFIX.length, -name.length);
  return covered.length > 1 ? covered : undefined;
}

/** `count=N,bytes=M=;byteHardLimit=B;countHardLimit=C`, in any order and with either separator; -1 where missing. */
export function parseQuota(text: string): QuotaValues {
  const values: Record<string, number> = {};
  for (const part of text.split(/[,;]/)) {
    const [key, value] = part.split("=");
    const number = Number(value);
    if (key !== undefined && value !== undefined && value !== "" && Number.isFinite(number)) values[key] = number;
  }
  return {
    count: values["count"] ?? -1,
    bytes: values["bytes"] ?? -1,
    countHardLimit: values["countHardLimit"] ?? -1,
    byteHardLimit: values["byteHardLimit"] ?? -1,
  };
}
