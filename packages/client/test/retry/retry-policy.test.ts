import { expect, test } from "vitest";
import { ZkError, type ZkErrorFacts } from "../../src/errors.js";
import { createProtected } from "../../src/retry/protected-create.js";
import { pauseMs, retryPolicies } from "../../src/retry/retry-policy.js";

function error(facts: Partial<ZkErrorFacts>): ZkError {
  return new ZkError({ code: "CONNECTION_LOSS", outcome: "not-applied", operation: "create", ...facts });
}

test("what may have happened, and what would fail again, is never tried again", () => {
  const policy = retryPolicies.untilDeadline;
  expect(pauseMs(policy, error({ outcome: "unknown" }), 1)).toBeUndefined();
  expect(pauseMs(policy, error({ code: "NO_NODE" }), 1)).toBeUndefined();
  expect(pauseMs(policy, error({ code: "NOT_READ_ONLY" }), 1)).toBeDefined();
});

test("pauses are random, double up to their bound, and end with the attempts", () => {
  const policy = { attemptsMax: 6, delayMs: 100, delayMsMax: 500 };
  const pauses = [1, 2, 3, 4, 5, 6].map((attempt) => pauseMs(policy, error({}), attempt, () => 1));
  expect(pauses).toEqual([100, 200, 400, 500, 500, undefined]);
  expect(pauseMs(policy, error({}), 1, () => 0)).toBe(0);
  expect(pauseMs({ ...policy, when: ({ code }) => code !== "CONNECTION_LOSS" }, error({}), 1)).toBeUndefined();
});

/** A server whose replies to creates are lost as scripted: after the node was made, or before. */
function lossyServer(fates: ("lost after" | "lost before" | "answered")[]) {
  const nodes: string[] = [];
  const asked: string[] = [];
  return {
    nodes,
    asked,
    host: {
      async create(path: string): Promise<string> {
        asked.push(`create`);
        const fate = fates.shift() ?? "answered";
        if (fate !== "lost before") nodes.push(`${path}000000000${nodes.length}`);
        if (fate !== "answered") throw error({ outcome: "unknown" });
        return nodes.at(-1)!;
      },
      async sync(): Promise<void> {
        asked.push("sync");
      },
      async getChildren(): Promise<string[]> {
        asked.push("getChildren");
        return nodes.map((path) => path.slice(path.lastIndexOf("/") + 1));
      },
      found: async (path: string): Promise<string> => path,
    },
  };
}

test("a protected create whose reply was lost finds its own node, and makes no second one", async () => {
  const server = lossyServer(["lost after"]);
  const path = await createProtected(server.host, "/locks/l-", true);
  expect(path).toMatch(/^\/locks\/_c_[0-9a-f-]{36}-l-0000000000$/);
  expect([server.nodes, server.asked]).toEqual([[path], ["create", "sync", "getChildren"]]);
});

test("a protected create that was lost on its way is made again", async () => {
  const server = lossyServer(["lost before", "lost before", "answered"]);
  await createProtected(server.host, "/locks/id-7-lock-", "id-7");
  expect(server.nodes.length).toBe(1);
  expect(server.asked.filter((what) => what === "create").length).toBe(3);
});

test("a protected create that cannot look says that its outcome is unknown", async () => {
  const server = lossyServer(["lost after"]);
  const host = { ...server.host, sync: () => Promise.reject(error({ code: "SESSION_EXPIRED" })) };
  await expect(createProtected(host, "/locks/l-", true)).rejects.toMatchObject({
    code: "SESSION_EXPIRED",
    outcome: "unknown",
  });
});
