import type { SessionState } from "../index.js";

/** What a client goes through, each one object: to be compared by identity. */
export class ClientState {
  readonly name: string;
  readonly code: number;

  constructor(name: string, code: number) {
    this.name = name;
    this.code = code;
  }

  /** Such as "SYNC_CONNECTED". */
  getName(): string {
    return this.name;
  }

  /** The protocol's number. */
  getCode(): number {
    return this.code;
  }

  /** As `SYNC_CONNECTED[3]`. */
  toString(): string {
    return `${this.name}[${this.code}]`;
  }
}

const connected = new ClientState("SYNC_CONNECTED", 3);

/** The states; each is one object, to be compared by identity. */
export const State = {
  DISCONNECTED: new ClientState("DISCONNECTED", 0),
  SYNC_CONNECTED: connected,
  /** As the documentation calls it. */
  CONNECTED: connected,
  AUTH_FAILED: new ClientState("AUTH_FAILED", 4),
  CONNECTED_READ_ONLY: new ClientState("CONNECTED_READ_ONLY", 5),
  SASL_AUTHENTICATED: new ClientState("SASL_AUTHENTICATED", 6),
  EXPIRED: new ClientState("EXPIRED", -122),
} as const;

type StateEvent = "connected" | "connectedReadOnly" | "disconnected" | "expired" | "authenticationFailed";

const disconnected = [State.DISCONNECTED, "disconnected"] as const;
/** Without those that node-zookeeper-client does not tell. */
const told: Partial<Record<SessionState, readonly [ClientState, StateEvent]>> = {
  connected: [connected, "connected"],
  "read-only": [State.CONNECTED_READ_ONLY, "connectedReadOnly"],
  suspended: disconnected,
  closed: disconnected,
  lost: [State.EXPIRED, "expired"],
  "auth-failed": [State.AUTH_FAILED, "authenticationFailed"],
};

/** Undefined for what node-zookeeper-client does not tell. */
export function stateOf(state: SessionState): ClientState | undefined {
  return told[state]?.[0];
}

/** The event of a state. */
export function eventOf(state: ClientState): StateEvent | undefined {
  return Object.values(told).find(([one]) => one === state)?.[1];
}
