import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { serve } from "../../server/test/support/server-under-test.js";
import { until } from "../../server/test/support/until.js";
import { connect } from "../src/index.js";

/** A server that answers whatever it is told in its own way. */
async function peer(onChunk: (write: (text: string) => void, end: () => void) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () =>
      onChunk(
        (text) => socket.write(text),
        () => socket.end(),
      ),
    );
    onTestFinished(() => {
      socket.destroy();
    });
  });
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

test.each([
  ["nothing at all", () => undefined, /did not answer in time|1000 ms/],
  ["garbage", (write: (text: string) => void) => write("HTTP/1.1 400 Bad Request\r\n\r\n"), /frame of/],
  ["the end of the connection", (_: unknown, end: () => void) => end(), /closed the connection/],
] as const)("a server that answers %s is an error that says so", async (_, onChunk, reason) => {
  const address = await peer(onChunk as Parameters<typeof peer>[0]);
  const connecting = connect(address, { connectTimeoutMs: 1000, connectRoundsMax: 1, sessionTimeoutMs: 500 });
  await expect(connecting).rejects.toMatchObject({ outcome: "not-applied", message: expect.stringMatching(reason) });
});

test("a name that does not resolve is an error that says so", async () => {
  const connecting = connect("no-such-host.invalid:2181", { connectRoundsMax: 1 });
  await expect(connecting).rejects.toMatchObject({
    code: "CONNECTION_LOSS",
    message: expect.stringContaining("the name does not resolve"),
  });
});

test.each(["", "host:0", "host:1/chroot/", "host:1//a"])("the connect string %j is refused", async (text) => {
  await expect(connect(text)).rejects.toMatchObject({ code: "BAD_ARGUMENTS", operation: "connect" });
});

test("connecting can be given up", async () => {
  const address = await peer(() => undefined);
  const controller = new AbortController();
  const connecting = connect(address, { signal: controller.signal });
  setImmediate(() => controller.abort());
  await expect(connecting).rejects.toMatchObject({ code: "CLOSING" });
});

test.each([{ cert: "no certificate" }, { minVersion: "TLSv0" as "TLSv1.2" }])(
  "TLS options that are none are refused, and do not end the process: %j",
  async (tls) => {
    for (const connectionThread of [false, true]) {
      await expect(connect("127.0.0.1:1", { tls, connectionThread })).rejects.toMatchObject({
        code: "BAD_ARGUMENTS",
        operation: "connect",
      });
    }
  },
);

test("the signal closes a client also after its session was renewed", async () => {
  const server = await serve();
  const controller = new AbortController();
  const client = await server.client({ whenLost: "renew", signal: controller.signal });
  const first = client.sessionId;
  await server.endSession(client);
  await until(() => client.sessionId !== first && client.state === "connected");
  controller.abort();
  await until(() => client.state === "closed");
});
