import type { Role } from "../replica/index.js";
import type { Session } from "../sessions/index.js";

/**
 * What a server without a leader still does for clients that say they take it (Apache's
 * `ReadOnlyZooKeeperServer`, section 11.5): reads of what it knows, in sessions that live here alone and end
 * with their connection. Whatever would change something is refused before it comes here.
 */
export class ReadOnly implements Role {
  readonly keepsSessions = false;
  readonly isReadOnly = true;
  readonly servesClients = true;
  readonly historyZxid: number;

  /** @param historyZxid what the server has served before: a client may have seen it here */
  constructor(historyZxid: number) {
    this.historyZxid = historyZxid;
  }

  submitWrite(): void {}
  submitCreateSession(): void {}
  submitCloseSession(): void {}
  submitDeleteContainer(): void {}
  submitSync(): void {}

  revalidate(_session: Session, _connection: unknown, done: (isValid: boolean) => void): void {
    done(false);
  }

  onHeard(): void {}
  onAdded(): void {}
  onLogged(): void {}

  claim(): undefined {
    return undefined;
  }
}
