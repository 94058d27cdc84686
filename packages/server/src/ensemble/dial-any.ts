import { NetworkError, type PeerEndpoint, type PeerNetwork, type PeerSocket } from "../ports/index.js";

/**
 * A connection to one server by whichever of its addresses answers first. All are tried at once: a dead one
 * costs no time.
 *
 * @throws NetworkError where none answers within `timeoutMs`: that of the first address
 */
export function dialAny(
  network: PeerNetwork,
  endpoints: readonly PeerEndpoint[],
  timeoutMs: number,
): Promise<PeerSocket> {
  return new Promise((resolve, reject) => {
    const failures: (NetworkError | undefined)[] = endpoints.map(() => undefined);
    let taken = false;
    for (const [at, endpoint] of endpoints.entries()) {
      network.dial(endpoint, timeoutMs).then(
        (socket) => {
          if (taken) discard(socket);
          taken = true;
          resolve(socket);
        },
        (error: unknown) => {
          if (!(error instanceof NetworkError)) return reject(error);
          failures[at] = error;
          if (failures.every((failure) => failure !== undefined)) reject(failures[0]);
        },
      );
    }
    if (endpoints.length === 0) reject(new NetworkError("EADDRNOTAVAIL", "there is no address to connect to"));
  });
}

/** For a connection that was made and is of no use. */
export function discard(socket: PeerSocket): void {
  socket.start({ onBytes() {}, onDrained() {}, onClosed() {} });
  socket.close();
}
