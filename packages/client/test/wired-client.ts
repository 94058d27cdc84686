import { Client } from "../src/client.js";
import { type RequestDefaults, Requester } from "../src/operations/requester.js";
import type { WatchEvent } from "../src/session/index.js";
import { Connection, deliverInto } from "../src/transport/connection.js";
import type { TransportEvents } from "../src/transport/transport.js";
import { goldenFrame } from "./golden-frames.js";

export interface WiredClient {
  readonly client: Client;
  /** What was written to the socket, one element per write. */
  readonly writes: Uint8Array[];
  readonly listenerErrors: unknown[];
  /** Feeds a frame, given without its length. */
  receive(frame: Uint8Array): void;
}

/** A connected client whose socket is an array. */
export async function wiredClient(given: Partial<RequestDefaults> = {}): Promise<WiredClient> {
  const writes: Uint8Array[] = [];
  const listenerErrors: unknown[] = [];
  const stateListeners = new Set<(event: WatchEvent) => unknown>();
  let events: TransportEvents | undefined;
  const connection = new Connection({
    session: {
      servers: [{ host: "one", port: 2181 }],
      chroot: "",
      sessionTimeoutMs: 12_000,
      random: { below: () => 0 },
    },
    dial: (_, told) => {
      events = told;
      process.nextTick(() => told.opened());
      const write = (bytes: Uint8Array): boolean => {
        writes.push(bytes);
        return false;
      };
      return { write, destroy: () => undefined };
    },
    deliver: deliverInto(stateListeners, (error) => listenerErrors.push(error)),
  });
  const defaults = { timeoutMs: 0, whenSuspended: "try-all", retry: undefined, tracer: undefined } as const;
  const requester = new Requester(connection, { ...defaults, ...given });
  const client = new Client({ requester, stateListeners, onBackgroundError: (error) => listenerErrors.push(error) });
  const receive = (frame: Uint8Array): void => {
    const bytes = Buffer.alloc(4 + frame.length);
    bytes.writeInt32BE(frame.length);
    bytes.set(frame, 4);
    events?.chunk(bytes);
  };
  await new Promise((resolve) => setImmediate(resolve)); // the dial and the handshake request have gone out
  receive(goldenFrame("java-connect-new-session-connect-response"));
  writes.length = 0;
  return { client, writes, listenerErrors, receive };
}
