import { expect, onTestFinished, test } from "vitest";
import { startTestServer } from "watchkeeper/testing";
import { type Client, connect, copyTree, exportTree, importTree } from "../../src/index.js";

async function clientOfItsOwn(): Promise<Client> {
  const server = await startTestServer();
  const client = await connect(server.connectString);
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return client;
}

/** The same client, whose requests each take a while. */
function slowly(client: Client): Client {
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
  const delayed = (name: "getDataWithStat" | "getChildrenWithStat" | "create") => ({
    value: async (...given: never[]) => {
      await pause();
      return await (client[name] as (...all: never[]) => Promise<unknown>).apply(client, given);
    },
  });
  return Object.create(client, {
    getDataWithStat: delayed("getDataWithStat"),
    getChildrenWithStat: delayed("getChildrenWithStat"),
    create: delayed("create"),
  });
}

test("a batch or a concurrency of none is taken for one, and nothing goes round for ever", async () => {
  const client = await clientOfItsOwn();
  await client.create("/t/a/b", null, { parents: true });
  for (const max of [0, -1, Number.NaN]) {
    const paths: string[] = [];
    for await (const { path } of client.walk("/t", { concurrencyMax: max })) paths.push(path);
    expect(paths).toEqual(["/t", "/t/a", "/t/a/b"]);
  }
  expect(await client.deleteRecursive("/t/a/b", { batchMax: 0 })).toBe(1);
  expect(await client.deleteRecursive("/t", { batchMax: Number.NaN })).toBe(2);
});

test("the time given to a call for a whole subtree is that of all its requests together", async () => {
  const client = await clientOfItsOwn();
  await client.create("/t/a/b/c/d/e/f", null, { parents: true });
  const tree = await exportTree(client, "/t");
  const timeoutMs = 100;
  await expect(exportTree(slowly(client), "/t", { timeoutMs })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  await expect(importTree(slowly(client), "/u", tree, { timeoutMs })).rejects.toMatchObject({
    code: "REQUEST_TIMEOUT",
    outcome: "unknown",
  });
  await expect(copyTree(slowly(client), "/t", "/v", { timeoutMs: 300 })).rejects.toMatchObject({
    code: "REQUEST_TIMEOUT",
  });
});
