import type { Client } from "../client.js";
import { hasCode } from "../errors.js";
import { whenAborted } from "../operations/when-aborted.js";
import { PATIENT, type Patience } from "./patience.js";

/*
 * Waits for one node. None leaves a watch behind in this client: it would be registered again with every
 * later connection, for names that never come back.
 */

/** Waits until a node is there, or is not. */
export function untilExists(client: Client, path: string, wanted: boolean, patience: Patience): Promise<void> {
  return watching(patience, async (signal) => {
    for (;;) {
      const { stat, changed } = await client.watchExists(path, { ...PATIENT, signal });
      if ((stat !== null) === wanted) return;
      await changed;
    }
  });
}

/**
 * Waits until a node of which nobody makes a second one is gone, or, if `token` is given, is another than the
 * one created by that zxid. Its data is read, since watching the mere existence of a node that is gone would
 * leave a watch behind at the server.
 */
export function untilGone(client: Client, path: string, patience: Patience, token?: bigint): Promise<void> {
  return watching(patience, async (signal) => {
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

/** Runs a wait whose watches end with it. */
export async function watching<T>(patience: Patience, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const unheed = whenAborted(patience.signal, () => over.abort());
  try {
    return await wait(over.signal);
  } finally {
    unheed();
    over.abort();
  }
}
