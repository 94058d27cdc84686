import { decodeText } from "@watchkeeper/wire";
import type { Logger } from "../ports/index.js";
import type { Quotas } from "../tree/index.js";

interface PendingUse {
  readonly zxid: number;
  readonly quotaPath: string;
  readonly count: number;
  readonly bytes: number;
}

/**
 * Quotas at the moment a write is accepted: the applied counts plus what is accepted but not applied
 * yet, so that neither a pipeline nor a multi can together overrun a hard limit (in Apache they can).
 */
export class QuotaCheck {
  private readonly quotas: Quotas;
  private readonly enforced: boolean;
  private readonly logger: Logger;
  private readonly uses: PendingUse[] = [];
  private readonly warned = new Set<string>();
  private txnStart = 0;

  constructor(quotas: Quotas, enforced: boolean, logger: Logger) {
    this.quotas = quotas;
    this.enforced = enforced;
    this.logger = logger;
  }

  beginTxn(): void {
    this.txnStart = this.uses.length;
  }

  rollBack(): void {
    this.uses.length = this.txnStart;
  }

  /** Forgets everything in flight. */
  restart(): void {
    this.uses.length = 0;
  }

  onApplied(zxid: number): void {
    let applied = 0;
    while (applied < this.uses.length && this.uses[applied]!.zxid <= zxid) applied += 1;
    if (applied > 0) this.uses.splice(0, applied);
  }

  /** Notes a write's use of its quota; false where a hard limit forbids it. */
  take(path: Uint8Array, start: number, end: number, zxid: number, count: number, bytes: number): boolean {
    return this.note(path, start, end, zxid, count, bytes, this.enforced);
  }

  /** Notes what a delete leaves of a quota. It is never refused, however far above the limit the rest still is. */
  giveBack(path: Uint8Array, start: number, end: number, zxid: number, bytes: number): void {
    this.note(path, start, end, zxid, -1, -bytes, false);
  }

  private note(
    path: Uint8Array,
    start: number,
    end: number,
    zxid: number,
    count: number,
    bytes: number,
    isLimited: boolean,
  ): boolean {
    if (this.quotas.isEmpty) return true;
    const text = decodeText(path, start, end);
    const quota = text.startsWith("/zookeeper/") ? undefined : this.quotas.covering(text);
    if (quota === undefined) return true;
    let newCount = quota.count + count;
    let newBytes = quota.bytes + bytes;
    for (const use of this.uses) {
      if (use.quotaPath !== quota.path) continue;
      newCount += use.count;
      newBytes += use.bytes;
    }
    const { limits } = quota;
    if (isLimited) {
      if (count !== 0 && limits.countHardLimit > -1 && newCount > limits.countHardLimit) return false;
      if (bytes !== 0 && limits.byteHardLimit > -1 && newBytes > limits.byteHardLimit) return false;
    }
    this.warnIfOver(
      quota.path,
      (limits.count > -1 && newCount > limits.count) || (limits.bytes > -1 && newBytes > limits.bytes),
      newCount,
      newBytes,
    );
    this.uses.push({ zxid, quotaPath: quota.path, count, bytes });
    return true;
  }

  /** Once each time a soft limit is passed, not for every write above it. */
  private warnIfOver(quotaPath: string, over: boolean, count: number, bytes: number): void {
    if (!over) this.warned.delete(quotaPath);
    else if (!this.warned.has(quotaPath)) {
      this.warned.add(quotaPath);
      this.logger.warn({ path: quotaPath, count, bytes }, "Quota exceeded: the subtree is over its soft limit");
    }
  }
}
