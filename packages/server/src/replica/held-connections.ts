import type { Scheduler, Timer } from "../ports/index.js";
import type { Connection } from "./connection.js";

/**
 * Clients that stay connected while this server is between two roles: an election takes a fraction of a second, and a
 * thousand clients that all come back with their watches take longer to serve than those that never left. (Apache closes
 * every connection.)
 *
 * Who is owed nothing can be kept. Such a client has seen nothing that is not applied here, which means committed, and
 * the next leader's history has all of it; what it asks from now on waits in its socket until there is a role. Its watches
 * stay where they are and are triggered by what the next role applies, and hear of it when that role serves, for until then
 * its history is not known to be a quorum's: were the tree replaced by a snapshot instead, changes could be missed, so
 * then everybody must go. Its session is as alive as any: a new leader gives all of them their full
 * time, and if it was closed, or went to another server, that comes as a txn or with the client's own hanging up.
 *
 * A client with a request under way has to go, for whether its write happens is decided elsewhere. So has everybody when
 * no role comes in time: another server may have found its leader.
 */
export class HeldConnections {
  private readonly scheduler: Scheduler;
  private readonly held = new Set<Connection>();
  private timer: Timer | undefined;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  /** @param onTimeout is given those that are still held after `timeoutMs` */
  hold(connections: Iterable<Connection>, timeoutMs: number, onTimeout: (late: Connection[]) => void): void {
    for (const connection of connections) {
      connection.isHeld = true;
      this.held.add(connection);
    }
    this.timer?.cancel();
    this.timer = this.scheduler.after(timeoutMs, () => onTimeout(this.release()));
  }

  /** Nobody is held any more. @returns those who were, and have not hung up */
  release(): Connection[] {
    this.timer?.cancel();
    const released = [...this.held];
    this.held.clear();
    return released.filter(({ phase }) => phase !== "closed" && phase !== "closing");
  }

  onDisconnect(connection: Connection): void {
    this.held.delete(connection);
  }
}
