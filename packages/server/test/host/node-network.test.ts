import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { NodeNetwork } from "../../src/host/node-network.js";
import { NetworkError, type PeerSocket } from "../../src/ports/index.js";
import { peerNetworkContract } from "../support/peer-network-contract.js";
import { until } from "../support/until.js";

peerNetworkContract("TCP", () => {
  const network = new NodeNetwork({ keepAlive: true });
  return {
    near: network,
    far: network,
    farHost: "127.0.0.1",
    until,
    // The kernel's buffers are filled, and found full: some turns of the event loop with nothing new.
    settle: async () => {
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
});

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server of Node's own, to see what is on the wire. */
async function plainServer(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer(onSocket);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

function ignoring(socket: PeerSocket): PeerSocket {
  socket.start({ onBytes() {}, onDrained() {}, onClosed() {} });
  return socket;
}

test("what is sent in one turn leaves together", async () => {
  const chunks: string[] = [];
  const port = await plainServer((socket) => socket.on("data", (chunk) => chunks.push(chunk.toString())));
  const socket = ignoring(await new NodeNetwork({ keepAlive: false }).dial({ host: "127.0.0.1", port }, 5000));
  for (const word of ["one ", "two ", "three"]) socket.send(Buffer.from(word));
  await until(() => chunks.join("").length === 13);
  expect(chunks).toEqual(["one two three"]);
  socket.close();
});

test("a connection that is reset tells why", async () => {
  const port = await plainServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
  const reasons: string[] = [];
  const socket = await new NodeNetwork({ keepAlive: false }).dial({ host: "127.0.0.1", port }, 5000);
  socket.start({ onBytes() {}, onDrained() {}, onClosed: (reason) => reasons.push(reason) });
  socket.send(Buffer.from("hello"));
  await until(() => reasons.length > 0);
  expect(reasons).toEqual([expect.stringContaining("ECONNRESET")]);
});

test("a host that nobody knows is a NetworkError", async () => {
  const dialed = new NodeNetwork({ keepAlive: false }).dial({ host: "no-such-host.invalid", port: 1 }, 5000);
  await expect(dialed).rejects.toBeInstanceOf(NetworkError);
});

test("the other end that takes nothing does not keep a closed connection for ever", async () => {
  let accepted: Socket | undefined;
  const port = await plainServer((socket) => {
    accepted = socket.pause();
  });
  const reasons: string[] = [];
  const socket = await new NodeNetwork({ keepAlive: false }).dial({ host: "127.0.0.1", port }, 5000);
  socket.start({ onBytes() {}, onDrained() {}, onClosed: (reason) => reasons.push(reason) });
  socket.send(new Uint8Array(32 << 20));
  socket.close();
  await until(() => reasons.length > 0);
  expect(reasons).toEqual(["this side closed the connection"]);
  accepted?.destroy();
});
