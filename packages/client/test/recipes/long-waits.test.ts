import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { serve } from "../../../server/test/support/server-under-test.js";
import type { Client } from "../../src/index.js";
import { type Lock, Mutex, Semaphore } from "../../src/recipes/index.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test.each([
  ["a mutex", (client: Client): Lock => new Mutex(client, "/held")],
  ["a semaphore", (client: Client): Lock => new Semaphore(client, "/held", 1)],
])("a wait for %s ends at its time, however often garbage is collected meanwhile", async (_, lockOf) => {
  const server = await serve();
  const [one, other] = [await server.client(), await server.client()];
  await lockOf(one).acquire();
  const waiting = lockOf(other).acquire({ timeoutMs: 200 });
  const collecting = setInterval(collectGarbage, 20);
  try {
    await expect(waiting).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  } finally {
    clearInterval(collecting);
  }
});
