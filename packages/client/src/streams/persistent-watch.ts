import { ADD_WATCH_MODE, WATCH_TYPE } from "@watchkeeper/wire";
import { badArguments, hasCode } from "../errors.js";
import { type CallOptions, NO_OPTIONS } from "../operations/call-options.js";
import type { Requester } from "../operations/requester.js";
import { requests } from "../operations/requests.js";
import { DROPPED, isFinal, isServed, pathProblem, type WatchListener } from "../session/index.js";

/** Of the node and its list of children, or of the node and everything below it. */
export type PersistentWatchMode = "persistent" | "persistent-recursive";

const MODES = {
  persistent: { kind: "persistent", wireMode: ADD_WATCH_MODE.persistent, type: WATCH_TYPE.persistent },
  "persistent-recursive": {
    kind: "recursive",
    wireMode: ADD_WATCH_MODE.persistentRecursive,
    type: WATCH_TYPE.persistentRecursive,
  },
} as const;

/** A watch that stays until it is removed, on one path, for one listener. Servers since 3.6. */
export class PersistentWatch {
  private readonly requester: Requester;
  private readonly path: string;
  private readonly mode: (typeof MODES)[PersistentWatchMode];
  private readonly listener: WatchListener;
  private isRemoved = false;

  constructor(
    requester: Requester,
    path: string,
    mode: PersistentWatchMode,
    listener: WatchListener,
    operation: string,
  ) {
    const problem = pathProblem(path);
    if (problem !== undefined) throw badArguments(operation, String(path), problem);
    this.requester = requester;
    this.path = path;
    this.mode = MODES[mode];
    this.listener = listener;
  }

  /** Registers it; where that fails, nothing is left of it here. */
  async add(options: CallOptions): Promise<void> {
    try {
      await this.request(options);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /**
   * Registers it, however many connections that takes. The table has it from the first request on, so a
   * reconnect in between carries it to the next server; the request is then repeated, for a first answer.
   */
  async addThroughReconnects(options: CallOptions): Promise<void> {
    for (;;) {
      try {
        await this.request({ ...options, whenSuspended: "wait" });
        if (this.isRemoved) await this.remove(); // the request may have waited since
        return;
      } catch (error) {
        const isRenewing = hasCode(error, "SESSION_EXPIRED") && !isFinal(this.requester.half.session.state);
        if ((isRenewing || hasCode(error, "CONNECTION_LOSS")) && !this.isRemoved) continue;
        this.drop();
        throw error;
      }
    }
  }

  /** Takes it away here, and from the server if nothing else of this client needs it there. */
  async remove(): Promise<void> {
    const { half } = this.requester;
    const { kind, type } = this.mode;
    this.isRemoved = true;
    const serverPath = half.chroot.toServer(this.path);
    this.drop();
    if (half.watches.has(kind, serverPath) || !isServed(half.session.state)) return;
    try {
      await this.removeFromServer(serverPath, type);
    } catch (error) {
      // Servers before 3.9 remove by path only: possible where nothing else of ours stands on it. Left
      // where it is, a watch sends events that find no listener here.
      if (!hasCode(error, "MARSHALLING_ERROR") || half.watches.hasOfType(serverPath, WATCH_TYPE.any)) return;
      await this.removeFromServer(serverPath, WATCH_TYPE.any).catch(() => undefined);
    }
  }

  private drop(): void {
    const { half } = this.requester;
    half.dropWatch(this.mode.kind, half.chroot.toServer(this.path), this.listener);
  }

  private request(options: CallOptions): Promise<void> {
    const { path, listener } = this;
    const { kind, wireMode } = this.mode;
    const serverPath = this.requester.half.chroot.toServer(path);
    const details = { path, addsWatch: { kind, path: serverPath, listener } };
    return this.requester.request(requests.addWatch, { path: serverPath, mode: wireMode }, options, details);
  }

  private removeFromServer(serverPath: string, type: number): Promise<void> {
    return this.requester.request(requests.removeWatches, { path: serverPath, type }, NO_OPTIONS, {
      path: this.path,
      removesWatches: { path: serverPath, type: DROPPED },
    });
  }
}
