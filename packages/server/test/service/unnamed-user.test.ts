import { expect, test, vi } from "vitest";
import { serve } from "../support/server-under-test.js";

/** As where a container runs under a number that no user has: what the system says then. */
const { unknown } = vi.hoisted(() => ({
  unknown: (): never => {
    throw Object.assign(new Error("uv_os_get_passwd returned ENOENT"), { code: "ERR_SYSTEM_ERROR" });
  },
}));
vi.mock(import("node:os"), async (original) => ({ ...(await original()), userInfo: unknown, homedir: unknown }));

test("a server whose user has no name answers envi all the same", async () => {
  const server = await serve();
  const lines = (await server.word("envi")).split("\n");
  expect(lines).toContain("user.name=?");
  expect(lines).toContain("user.home=?");
  expect(await server.word("ruok")).toBe("imok");
});
