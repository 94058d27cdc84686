/** Messages between servers that are almost right, and some that are nothing at all. */

import type { SeededRandom } from "../../../support/seeded-random.js";
import { JuteWriter } from "../../support/jute.js";
import {
  ackEpoch,
  electionGreeting,
  LEADING,
  LOOKING,
  learnerInfo,
  notification,
  PACKET,
  quorumPacket,
} from "./peer-messages.js";

const LENGTHS = [-1, -2, 0, 1, 0x7fffffff, -0x80000000, 0xfffff, 524_289, 2049] as const;
const STRANGER = 200n;
const LENGTH_BYTES = 4;
/** State, leader, zxid, round, epoch of the peer, and four bytes that are not read. */
const OLD_FORM_BYTES = 40;

export class MessageMutator {
  private readonly random: SeededRandom;
  /** The configuration in notifications; undefined for notifications of the old form, which have none. */
  private readonly config: string | undefined;

  constructor(random: SeededRandom, config: string | undefined) {
    this.random = random;
    this.config = config;
  }

  /** For the election port: a greeting, perhaps with notifications behind it, with something wrong. */
  election(): Buffer {
    const { random } = this;
    const die = random.below(10);
    if (die < 2) return random.bytes(1 + random.below(400));
    const greeting = electionGreeting(this.sid(), `127.0.0.1:${1 + random.below(65_535)}`);
    if (die < 4) return this.mutated(greeting);
    const notes = Array.from({ length: 1 + random.below(3) }, () => this.mutated(this.notification()));
    return Buffer.concat([greeting, ...notes]);
  }

  /** For the quorum port: the packets of a learner, with something wrong in one of them. */
  quorum(): Buffer {
    const { random } = this;
    if (random.chance(0.2)) return random.bytes(1 + random.below(400));
    const packets = [
      learnerInfo(
        random.pick([PACKET.followerInfo, PACKET.observerInfo]),
        this.sid(),
        random.below(3),
        BigInt(random.below(2)),
      ),
      ackEpoch(BigInt(random.below(1000)), random.below(3) - 1),
      quorumPacket(PACKET.ack, BigInt(random.below(3)) << 32n),
      this.laterPacket(),
    ];
    const wrong = random.below(packets.length);
    return Buffer.concat(packets.map((packet, i) => (i === wrong ? this.mutated(packet) : packet)));
  }

  /** Never that of a member: a message that nobody could tell from a member's own is no bad input. */
  private sid(): bigint {
    const { random } = this;
    return random.pick([STRANGER, STRANGER + 1n, 0n, -1n, 0x7fffffffffffffffn, -(2n ** 63n)]);
  }

  private notification(): Buffer {
    const { random, config } = this;
    const whole = notification({
      state: random.pick([LOOKING, LEADING, 1, 3, 4, -1]),
      leader: this.sid(),
      zxid: BigInt(random.below(1000)),
      round: BigInt(random.pick([0, 1, 2, 0x7fffffff])),
      peerEpoch: BigInt(random.below(5)),
      config: config === undefined || random.chance(0.3) ? "server.1=nonsense\nversion=zz" : config,
    });
    if (config !== undefined) return whole;
    return new JuteWriter().buffer(whole.subarray(LENGTH_BYTES, LENGTH_BYTES + OLD_FORM_BYTES)).done();
  }

  private laterPacket(): Buffer {
    const { random } = this;
    const request = new JuteWriter()
      .long(1n)
      .int(1)
      .int(random.below(30) - 12);
    return quorumPacket(
      random.below(22),
      BigInt(random.below(1000)),
      request.raw(random.bytes(random.below(60))).done(),
    );
  }

  private mutated(original: Buffer): Buffer {
    const { random } = this;
    let bytes = Buffer.from(original);
    for (let changes = 1 + random.below(3); changes > 0; changes--) bytes = this.change(bytes);
    return bytes;
  }

  private change(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const { random } = this;
    if (bytes.length < 8) return bytes;
    const at = random.below(bytes.length);
    switch (random.below(5)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        return bytes;
      case 1:
        bytes.writeInt32BE(random.pick(LENGTHS), Math.min(at, bytes.length - 4));
        return bytes;
      case 2:
        return bytes.subarray(0, at);
      case 3:
        return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(30)), bytes.subarray(at)]);
      default:
        bytes[at] = random.below(256);
        return bytes;
    }
  }
}
