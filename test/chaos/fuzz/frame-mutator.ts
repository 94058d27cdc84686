/**
 * Frames that no client sends: recorded ones with something changed, and others made to hurt. What is
 * given is whole frames and pieces of frames as they go on the wire, lengths included.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../../support/seeded-random.js";
import { createBody, framed, JuteWriter, opcode, requestPayload } from "../support/jute.js";

const GOLDEN = join(import.meta.dirname, "..", "..", "..", "test", "golden", "client-protocol.json");

interface Captured {
  readonly direction: string;
  readonly op: string;
  readonly hex: string;
  readonly value: unknown;
}

/** A frame too short for its header ends the connection. */
const HEADER_BYTES = 8;

const AUTHENTICATIONS = ["auth", "sasl"];

/** Lengths and counts at which decoders break. */
const EDGES = [
  -1, -2, 0, 1, 0x7fff_ffff, -0x8000_0000, 0x0010_0000, 0x000f_ffff, 0x7fff_fff0, 65_536, 255, 0x4242_4242,
];

/** A frame the stream can go on after: its outer length is right. */
const OUTER_LENGTHS = [-1, -0x8000_0000, 0, 1, 4, 7, 0x7fff_ffff, 1_048_576, 1_048_575];

export class FrameMutator {
  readonly handshakes: readonly Buffer[];
  /** Every path that a recorded request speaks of, parents first. */
  readonly paths: readonly string[];
  private readonly requests: readonly Buffer[];
  /** Refused ones end the connection: they are to be rare. */
  private readonly authentications: readonly Buffer[];
  private readonly random: SeededRandom;

  constructor(random: SeededRandom) {
    const { captured } = JSON.parse(readFileSync(GOLDEN, "utf8")) as { captured: Captured[] };
    const requests = captured.filter(({ direction, op }) => direction === "request" && op !== "closeSession");
    const isAuthentication = ({ op }: Captured): boolean => AUTHENTICATIONS.includes(op);
    this.random = random;
    this.requests = requests.filter((one) => !isAuthentication(one)).map(payload);
    this.authentications = requests.filter(isAuthentication).map(payload);
    this.handshakes = captured.filter(({ direction }) => direction === "connect-request").map(payload);
    const paths = new Set(requests.flatMap(({ value }) => pathsIn(value)).flatMap(withParents));
    this.paths = [...paths].toSorted((a, b) => a.length - b.length);
  }

  /** One frame to a session that is open. */
  request(): Buffer {
    const { random } = this;
    const die = random.below(1000);
    if (die < 885) return framed(this.mutated(random.pick(this.requests)));
    if (die < 890) return framed(this.mutated(random.pick(this.authentications)));
    if (die < 930) return framed(random.bytes(HEADER_BYTES + random.below(200)));
    if (die < 950) return framed(this.deepMulti());
    if (die < 960) return framed(this.endlessMulti());
    if (die < 997) return framed(this.absurdCounts());
    if (die < 999) return this.badOuterLength();
    return random.bytes(random.below(60)); // out of step from here on
  }

  /** The first bytes of a connection that is not to get a session, or perhaps is. */
  firstBytes(): Buffer {
    const { random } = this;
    const die = random.below(100);
    if (die < 60) return framed(this.mutated(random.pick(this.handshakes)));
    if (die < 70) return Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    if (die < 80) return random.bytes(random.below(100));
    if (die < 90) return this.badOuterLength();
    return framed(this.mutated(random.pick(this.requests)));
  }

  private mutated(original: Buffer): Buffer {
    const { random } = this;
    let bytes: Buffer = Buffer.from(original);
    for (let changes = random.below(4); changes > 0; changes--) bytes = this.change(bytes);
    return bytes;
  }

  private change(bytes: Buffer): Buffer {
    const { random } = this;
    if (bytes.length < 8) return Buffer.concat([bytes, random.bytes(random.below(20))]);
    const at = random.below(bytes.length);
    switch (random.below(7)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        return bytes;
      case 1:
        bytes[at] = random.below(256);
        return bytes;
      case 2:
        bytes.writeInt32BE(random.pick(EDGES), Math.min(at, bytes.length - 4));
        return bytes;
      case 3:
        return bytes.subarray(0, Math.max(at, random.chance(0.02) ? 0 : HEADER_BYTES));
      case 4:
        return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(16)), bytes.subarray(at)]);
      case 5:
        return Buffer.concat([bytes, this.pickRequestBody()]);
      default:
        bytes.writeInt32BE(random.below(120) - 12, 4); // another opcode
        return bytes;
    }
  }

  private pickRequestBody(): Buffer {
    return this.random.pick(this.requests).subarray(8);
  }

  /** multi in multi in multi. */
  private deepMulti(): Buffer {
    const body = new JuteWriter();
    for (let depth = 1 + this.random.below(2000); depth > 0; depth--) body.int(opcode.multi).bool(false).int(-1);
    return requestPayload(1, opcode.multi, body.done());
  }

  /** Many operations and no end; the last perhaps torn. */
  private endlessMulti(): Buffer {
    const { random } = this;
    const type = random.pick([opcode.create, opcode.check, opcode.delete, opcode.setData, -1, 0]);
    const part = new JuteWriter()
      .int(type)
      .bool(false)
      .int(-1)
      .raw(createBody("/endless", Buffer.from("x")))
      .done();
    const count = random.below(random.chance(0.02) ? 12_000 : 50);
    const torn = part.subarray(0, random.below(part.length));
    return requestPayload(1, opcode.multi, Buffer.concat([...Array.from({ length: count }, () => part), torn]));
  }

  /** Vectors that promise what never comes. */
  private absurdCounts(): Buffer {
    const { random } = this;
    const body = new JuteWriter();
    for (let i = random.below(12); i > 0; i--) body.int(random.pick(EDGES));
    return requestPayload(random.pick(EDGES), random.below(110), body.done());
  }

  private badOuterLength(): Buffer {
    const { random } = this;
    return new JuteWriter()
      .int(random.pick(OUTER_LENGTHS))
      .raw(random.bytes(random.below(40)))
      .done();
  }
}

function payload({ hex }: Captured): Buffer {
  return Buffer.from(hex, "hex");
}

function pathsIn(value: unknown): string[] {
  if (typeof value === "string") return /^(\/[^/]+)+$/.test(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(pathsIn) : [];
}

function withParents(path: string): string[] {
  const names = path.split("/").slice(1);
  return names.map((_, i) => `/${names.slice(0, i + 1).join("/")}`);
}
