import type { Client, SessionState } from "@watchkeeper/client";

/** Resolves when the client changes to a state. */
export function stateOf(client: Client, wanted: SessionState): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onState((state) => {
      if (state !== wanted) return;
      stop();
      resolve();
    });
  });
}
