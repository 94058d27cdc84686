/** What a client has done so far: numbers that only grow. */
export interface ClientCounters {
  /** Requests handed to the connection half; each try of a repeated one counts. */
  readonly calls: number;
  /** Requests that failed, for whatever reason. */
  readonly callsFailed: number;
  /** Of those: their deadline passed. */
  readonly callsTimedOut: number;
  /** Watch events that some listener was told of; session events are not counted. */
  readonly events: number;
  /** Watch events that no listener of this client waited for. */
  readonly eventsUnwanted: number;
  /** Sent, to keep the session while nothing else is. */
  readonly pings: number;
  /** Attempts to reach a server. */
  readonly dials: number;
  /** Connections that stood: the first one and every reconnect. */
  readonly connections: number;
  /** Ended by the servers; more than one where lost sessions are renewed. */
  readonly sessionsLost: number;
  /** Paths whose watches were registered again after reconnects. */
  readonly watchesRestored: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export type MutableCounters = { -readonly [K in keyof ClientCounters]: number };

export function newCounters(): MutableCounters {
  return {
    calls: 0,
    callsFailed: 0,
    callsTimedOut: 0,
    events: 0,
    eventsUnwanted: 0,
    pings: 0,
    dials: 0,
    connections: 0,
    sessionsLost: 0,
    watchesRestored: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };
}
