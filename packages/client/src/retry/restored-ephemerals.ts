import { hasCode } from "../errors.js";
import type { CallOptions } from "../operations/call-options.js";
import type { CreateOptions, NodeContent } from "../operations/create-options.js";
import type { Stat } from "../operations/stat.js";
import type { WatchEvent } from "../session/index.js";

/** What is needed of the client. */
export interface EphemeralHost {
  readonly sessionId: bigint;
  create(path: string, data: NodeContent, options: CreateOptions): Promise<string>;
  exists(path: string, options: CallOptions & { watch: (event: WatchEvent) => void }): Promise<Stat | null>;
}

/** A deadline that the client has for all its requests is not for these: the node would be missing. */
const PATIENT = { whenSuspended: "wait", timeoutMs: Number.POSITIVE_INFINITY } as const;

interface Remembered {
  data: NodeContent;
  readonly options: CreateOptions;
}

/**
 * The ephemeral nodes that a client has promised to create again when its session was lost and a new one
 * has been opened. A node that somebody else has there by then is waited for.
 */
export class RestoredEphemerals {
  /** Made for the first promise. */
  private nodes: Map<string, Remembered> | undefined;
  private readonly host: EphemeralHost;
  private readonly onError: (error: unknown, path: string) => void;
  private isLost = false;

  constructor(host: EphemeralHost, onError: (error: unknown, path: string) => void) {
    this.host = host;
    this.onError = onError;
  }

  get isEmpty(): boolean {
    return this.nodes === undefined || this.nodes.size === 0;
  }

  onCreated(path: string, data: NodeContent, options: CreateOptions): void {
    const { acl, mode } = options;
    this.nodes ??= new Map();
    this.nodes.set(path, { data, options: { acl, mode, parents: options.parents, ...PATIENT } });
  }

  onWritten(path: string, data: NodeContent): void {
    const node = this.nodes?.get(path);
    if (node !== undefined) node.data = data;
  }

  onDeleted(path: string): void {
    this.nodes?.delete(path);
  }

  onSessionEvent(event: WatchEvent): void {
    if (event.kind !== "session") return;
    if (event.state === "lost") this.isLost = true;
    if (event.state !== "connected" || !this.isLost) return;
    this.isLost = false;
    for (const path of this.nodes?.keys() ?? []) void this.restore(path);
  }

  private async restore(path: string): Promise<void> {
    for (;;) {
      const node = this.nodes?.get(path);
      if (node === undefined) return;
      const { sessionId } = this.host;
      try {
        await this.host.create(path, node.data, node.options);
        return;
      } catch (error) {
        if (hasCode(error, "SESSION_EXPIRED", "CLOSING")) return; // lost again: the next session's turn
        if (hasCode(error, "CONNECTION_LOSS")) continue;
        if (!hasCode(error, "NODE_EXISTS")) {
          this.onError(error, path);
          return;
        }
      }
      if (!(await this.untilGone(path, sessionId))) return;
    }
  }

  /** False if there is nothing left to do: the node is this session's own, or the session has ended. */
  private async untilGone(path: string, sessionId: bigint): Promise<boolean> {
    let tell: (gone: boolean) => void = () => undefined;
    const gone = new Promise<boolean>((resolve) => {
      tell = resolve;
    });
    try {
      const watch = (event: WatchEvent): void => {
        if (event.kind === "deleted" || event.kind === "dataChanged") tell(true);
        else if (event.kind === "session" && event.state === "lost") tell(false);
      };
      const stat = await this.host.exists(path, { ...PATIENT, watch });
      if (stat === null) return true;
      return stat.ephemeralOwner === sessionId ? false : await gone;
    } catch (error) {
      return hasCode(error, "CONNECTION_LOSS");
    }
  }
}
