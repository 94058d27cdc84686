import { afterEach, describe, expect, test } from "vitest";
import { NetworkError, type PeerListener, type PeerNetwork, type PeerSocket } from "../../src/ports/index.js";

/** Two machines; where both are this one, the networks and hosts may be the same. */
export interface NetworkUnderTest {
  readonly near: PeerNetwork;
  readonly far: PeerNetwork;
  readonly farHost: string;
  /** Lets time pass until the condition holds; rejects where it never does. */
  until(condition: () => boolean, what?: () => string): Promise<void>;
  /** Lets so much happen that whatever could happen has. */
  settle(): Promise<void>;
}

/** What an end of a connection was told. */
class Heard {
  readonly socket: PeerSocket;
  readonly closed: string[] = [];
  drained = 0;
  byteCount = 0;
  private readonly chunks: Uint8Array[] = [];

  constructor(socket: PeerSocket) {
    this.socket = socket;
    socket.start({
      onBytes: (bytes) => {
        this.chunks.push(bytes.slice());
        this.byteCount += bytes.length;
        expect(this.closed).toEqual([]);
      },
      onDrained: () => {
        this.drained++;
        expect(socket.unsentBytes).toBe(0);
        expect(this.closed).toEqual([]);
      },
      onClosed: (reason) => this.closed.push(reason),
    });
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.byteCount);
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * seed + seed) & 0xff);
}

/** What every network between servers keeps to, whatever it is made of. */
export function peerNetworkContract(name: string, make: () => NetworkUnderTest): void {
  describe(`${name} keeps the contract of a network`, () => {
    const listeners: PeerListener[] = [];
    const sockets: PeerSocket[] = [];

    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.close();
      for (const listener of listeners.splice(0)) await listener.close();
    });

    async function listen(world: NetworkUnderTest, onSocket: (socket: PeerSocket) => void): Promise<PeerListener> {
      const listener = await world.far.listen({ host: world.farHost, port: 0 }, onSocket);
      listeners.push(listener);
      return listener;
    }

    /** Both ends of a new connection. */
    async function connected(world: NetworkUnderTest): Promise<{ near: Heard; far: Heard; listener: PeerListener }> {
      let far: Heard | undefined;
      let near: Heard | undefined;
      const listener = await listen(world, (socket) => {
        sockets.push(socket);
        far = new Heard(socket);
      });
      const dialed = world.near.dial(listener.endpoint, 5000).then((socket) => {
        sockets.push(socket);
        near = new Heard(socket);
      });
      await world.until(() => far !== undefined && near !== undefined);
      await dialed;
      return { near: near!, far: far!, listener };
    }

    test("a listener tells the port it was given, and each end the address of the other", async () => {
      const world = make();
      const { near, listener } = await connected(world);
      expect(listener.endpoint).toEqual({ host: world.farHost, port: expect.any(Number) });
      expect(listener.endpoint.port).toBeGreaterThan(0);
      expect(near.socket.remote).toBe(`${world.farHost}:${listener.endpoint.port}`);
    });

    test("bytes arrive whole and in order, in both directions at once", async () => {
      const world = make();
      const { near, far } = await connected(world);
      const [there, back] = [pattern(300_000, 3), pattern(200_000, 7)];
      for (let at = 0; at < there.length; at += 1777) near.socket.send(there.subarray(at, at + 1777));
      for (let at = 0; at < back.length; at += 50_001) far.socket.send(back.subarray(at, at + 50_001));
      await world.until(() => far.byteCount >= there.length && near.byteCount >= back.length);
      expect(Buffer.compare(far.bytes(), there)).toBe(0);
      expect(Buffer.compare(near.bytes(), back)).toBe(0);
    });

    test("what has not left is counted, and its end is told", async () => {
      const world = make();
      const { near, far } = await connected(world);
      expect(near.socket.unsentBytes).toBe(0);
      near.socket.send(pattern(10, 1));
      near.socket.send(pattern(20, 1));
      expect(near.socket.unsentBytes).toBe(30);
      await world.until(() => near.drained > 0);
      expect(near.socket.unsentBytes).toBe(0);
      await world.until(() => far.byteCount === 30);
      near.socket.send(pattern(10, 1));
      await world.until(() => near.drained > 1);
    });

    test("a receiver that pauses hears nothing and holds up the sender, until it resumes", async () => {
      const world = make();
      const { near, far } = await connected(world);
      far.socket.pause();
      const piece = pattern(1 << 20, 5);
      for (let count = 0; count < 16; count++) near.socket.send(piece);
      await world.settle();
      expect(far.byteCount).toBe(0);
      expect(near.drained).toBe(0);
      expect(near.socket.unsentBytes).toBeGreaterThan(1 << 20);
      far.socket.resume();
      await world.until(() => far.byteCount === 16 << 20);
      await world.until(() => near.drained === 1);
      expect(near.socket.unsentBytes).toBe(0);
    });

    test("closing lets what was sent before arrive, and is told once to each end", async () => {
      const world = make();
      const { near, far } = await connected(world);
      const sent = pattern(200_000, 9);
      near.socket.send(sent);
      near.socket.close();
      near.socket.close();
      near.socket.send(pattern(10, 1));
      await world.until(() => far.closed.length > 0 && near.closed.length > 0);
      await world.settle();
      expect(Buffer.compare(far.bytes(), sent)).toBe(0);
      expect(near.closed).toEqual(["this side closed the connection"]);
      expect(far.closed).toEqual(["the other side closed the connection"]);
      far.socket.send(pattern(10, 1));
      far.socket.close();
      await world.settle();
      expect([near.byteCount, far.closed.length]).toEqual([0, 1]);
    });

    test("nothing is heard after closing, though the other end has sent", async () => {
      const world = make();
      const { near, far } = await connected(world);
      far.socket.send(pattern(1000, 1));
      near.socket.close();
      await world.until(() => far.closed.length === 1 && near.closed.length === 1);
      expect(near.byteCount).toBe(0);
    });

    test("a paused end that closes, and one whose other end closes, learn of it", async () => {
      const world = make();
      const { near, far } = await connected(world);
      near.socket.pause();
      near.socket.close();
      await world.until(() => far.closed.length === 1 && near.closed.length === 1);
    });

    test("nobody listens: ECONNREFUSED", async () => {
      const world = make();
      const listener = await listen(world, () => {});
      await listener.close();
      await expectFailure(world, world.near.dial(listener.endpoint, 5000), "ECONNREFUSED");
    });

    test("somebody listens there already: EADDRINUSE", async () => {
      const world = make();
      const { endpoint } = await listen(world, () => {});
      await expectFailure(
        world,
        world.far.listen(endpoint, () => {}),
        "EADDRINUSE",
      );
    });

    test("closing the listener refuses new connections, keeps those there are, and frees the address", async () => {
      const world = make();
      const { near, far, listener } = await connected(world);
      await listener.close();
      await expectFailure(world, world.near.dial(listener.endpoint, 5000), "ECONNREFUSED");
      near.socket.send(pattern(5, 1));
      await world.until(() => far.byteCount === 5);
      listeners.push(await world.far.listen(listener.endpoint, () => {}));
    });

    async function expectFailure(world: NetworkUnderTest, promise: Promise<unknown>, code: string): Promise<void> {
      let outcome: unknown;
      promise.then(
        () => {
          outcome = "it succeeded";
        },
        (error: unknown) => {
          outcome = error;
        },
      );
      await world.until(() => outcome !== undefined);
      expect(outcome).toBeInstanceOf(NetworkError);
      expect((outcome as NetworkError).code).toBe(code);
    }
  });
}
