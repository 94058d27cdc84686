import { expect, test } from "vitest";
import { ChildrenCache, type Client, NodeCache, TreeCache } from "../../../packages/client/dist/index.js";
import { until } from "../../support/until.js";
import { MeddlingProxy } from "./meddling-proxy.js";
import { againstAll } from "./rigs.js";

async function treeOf(client: Client, path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const node of client.walk(path, { data: true })) found.push(`${node.path}=${node.data ?? ""}`);
  return found.sort();
}

const shown = (cache: TreeCache): string[] =>
  [...cache.nodes()].map(({ path, data }) => `${path}=${data ?? ""}`).sort();

/** Creates, changes and deletes, all at once, in a tree of three levels. */
async function stir(writer: Client, root: string, text: string): Promise<void> {
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 60; i++) {
    writes.push(writer.create(`${root}/${i % 6}/${text}-${i}`, text, { parents: true }));
    if (i % 4 === 0) writes.push(writer.deleteRecursive(`${root}/${(i * 5) % 6}`));
    writes.push(writer.setData(`${root}/${i % 6}`, `${text} ${i}`));
  }
  await Promise.allSettled(writes); // many find their node gone, or there
}

againstAll((server) => {
  test("the caches follow, and after a lost connection show what changed meanwhile", async () => {
    const proxy = await MeddlingProxy.to(server.port);
    const client = await server.client({ port: proxy.port });
    const writer = await server.client();
    const root = "/cached";
    await using node = new NodeCache(client, `${root}/0`);
    await using children = new ChildrenCache(client, root);
    await using tree = new TreeCache(client, root);
    await Promise.all([node.ready, children.ready, tree.ready]);
    expect([node.node, children.size, tree.size]).toEqual([undefined, 0, 0]);
    const isEqual = async (): Promise<boolean> => {
      const truth = await treeOf(writer, root);
      if (JSON.stringify(shown(tree)) !== JSON.stringify(truth)) return false;
      const names = truth.filter((line) => line.split("/").length === 3).map((line) => line.split(/[/=]/)[2]);
      const first = truth.find((line) => line.startsWith(`${root}/0=`));
      const firstShown = node.node && `${root}/0=${node.node.data ?? ""}`;
      return JSON.stringify(children.names) === JSON.stringify(names) && firstShown === first;
    };
    for (const text of ["before", "while away"]) {
      if (text === "while away") proxy.cut();
      await stir(writer, root, text);
      await until(`the caches to equal the tree (${text})`, isEqual);
    }
    expect(client.counters.connections).toBe(2);
    expect((await tree.reconcile()).repaired).toBe(0);
    await writer.deleteRecursive(root);
    await until("the caches to be empty", () => tree.size + children.size === 0 && node.node === undefined);
  });
});
