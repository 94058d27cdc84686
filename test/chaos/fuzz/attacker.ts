/** One connection after another that sends what it should not, reads what comes and minds nothing. */
import { connect, type Socket } from "node:net";
import type { SeededRandom } from "../../support/seeded-random.js";
import { connectPayload, framed } from "../support/jute.js";
import type { FrameMutator } from "./frame-mutator.js";

const FRAMES_AT_ONCE = 20;
const CONNECTION_FRAMES_MAX = 2000;
/** A frame that promises a megabyte and brings nothing would hold up its connection for the session's timeout. */
const SILENCE_MS_MAX = 300;

export class Attacker {
  frames = 0;
  connections = 0;
  /** Connections that the server ended. */
  refused = 0;
  private readonly mutator: FrameMutator;
  private readonly random: SeededRandom;
  private readonly port: number;

  constructor(mutator: FrameMutator, random: SeededRandom, port: number) {
    this.mutator = mutator;
    this.random = random;
    this.port = port;
  }

  /** @param isEnough asked between frames */
  async run(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      this.connections += 1;
      const socket = connect({ host: "127.0.0.1", port: this.port });
      const closed = new Promise((resolve) => socket.once("close", resolve));
      let heardBytes = 0;
      socket.on("data", (chunk) => {
        heardBytes += chunk.length;
      });
      socket.setTimeout(SILENCE_MS_MAX, () => socket.destroy());
      socket.on("error", () => {});
      socket.on("end", () => {
        this.refused += 1;
      });
      await this.attack(socket, isEnough, () => heardBytes);
      // What was sent is to be handled before the connection goes: silence ends it.
      await closed;
    }
  }

  private async attack(socket: Socket, isEnough: () => boolean, heardBytes: () => number): Promise<void> {
    const { mutator, random } = this;
    const withSession = random.chance(0.9);
    socket.write(withSession ? framed(connectPayload(4000)) : mutator.firstBytes());
    this.frames += 1;
    let left = withSession ? CONNECTION_FRAMES_MAX : random.below(20);
    while (left > 0 && !socket.destroyed && !isEnough()) {
      const batch = Array.from({ length: Math.min(left, FRAMES_AT_ONCE) }, () => mutator.request());
      left -= batch.length;
      this.frames += batch.length;
      const heardBefore = heardBytes();
      if (!socket.write(Buffer.concat(batch))) await oneOf(socket, "drain", "close");
      // Does not run ahead of the server: a connection that was refused half-way would count frames nobody has seen.
      while (!socket.destroyed && heardBytes() === heardBefore) await oneOf(socket, "data", "close");
    }
  }
}

function oneOf(socket: Socket, ...events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) socket.off(event, done);
      resolve();
    };
    for (const event of events) socket.on(event, done);
  });
}
