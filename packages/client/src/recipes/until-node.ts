import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import { whenAborted } from "../operations/when-aborted.js";
import { PATIENT } from "./patience.js";

/*
 * Waits for one node. None leaves a watch behind in this client: it would be registered again with every
 * later connection, for names that never come back.
 */

/** What ends a wait: somebody's patience, or that of another wait, which it is a part of. */
export interface Bounds {
  readonly signal: AbortSignal;
}

/** Waits until a node is there. */
export function untilThere(client: Client, path: string, bounds: Bounds): Promise<void> {
  return watching(bounds, async (signal) => {
    for (;;) {
      const { stat, changed } = await client.watchExists(path, { ...PATIENT, signal });
      if (stat !== null) return;
      await changed;
    }
  });
}

/**
 * Waits until a node is seen to be gone, or, if `token` is given, to be another than the one created by that
 * zxid. Its data is read, since watching the mere existence of a node that is gone would leave a watch behind at
 * the server.
 */
export function untilGone(client: Client, path: string, bounds: Bounds, token?: bigint): Promise<void> {
  return watching(bounds, async (signal) => {
    try {
      for (;;) {
        const { stat, changed } = await client.watchData(path, { ...PATIENT, signal });
        if (token !== undefined && stat.czxid !== token) return;
        await changed;
      }
    } catch (error) {
      if (!hasCode(error, "NO_NODE")) throw error;
    }
  });
}

/**
 * Runs a wait for others that ends with the loss of one's own place too. The loss of the session is told by no
 * error where the client renews it, and the other node's watch is carried into the next one.
 */
export function whileThere(
  client: Client,
  own: string,
  bounds: Bounds,
  wait: (bounds: Bounds) => Promise<void>,
): Promise<void> {
  return watching(bounds, (signal) => Promise.race([wait({ signal }), untilGone(client, own, { signal })]));
}

/** Runs a wait whose watches end with it. */
export async function watching<T>({ signal }: Bounds, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const unheed = whenAborted(signal, () => over.abort());
  try {
    return await wait(over.signal);
  } finally {
    unheed();
    over.abort();
  }
}
