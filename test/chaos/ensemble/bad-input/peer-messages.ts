/**
 * What servers send each other, written out in bytes for those who send it wrongly: election connections
 * and notifications, the packets of a learner and of a leader.
 */
import { JuteWriter } from "../../support/jute.js";

export const PACKET = {
  request: 1,
  proposal: 2,
  ack: 3,
  commit: 4,
  ping: 5,
  revalidate: 6,
  newLeader: 10,
  followerInfo: 11,
  observerInfo: 16,
  leaderInfo: 17,
  ackEpoch: 18,
} as const;

export const LOOKING = 0;
export const LEADING = 2;

const PROTOCOL_V1 = -65_536n;

/** The first bytes of an election connection. */
export function electionGreeting(sid: bigint, address: string): Buffer {
  return new JuteWriter().long(PROTOCOL_V1).long(sid).buffer(Buffer.from(address)).done();
}

export interface Notification {
  readonly state: number;
  readonly leader: bigint;
  readonly zxid: bigint;
  readonly round: bigint;
  readonly peerEpoch: bigint;
  readonly config: string;
}

/** With its length in front. */
export function notification({ state, leader, zxid, round, peerEpoch, config }: Notification): Buffer {
  const body = new JuteWriter().int(state).long(leader).long(zxid).long(round).long(peerEpoch).int(2);
  return new JuteWriter().buffer(body.buffer(Buffer.from(config)).done()).done();
}

export function quorumPacket(type: number, zxid: bigint, data?: Buffer): Buffer {
  const head = new JuteWriter().int(type).long(zxid);
  return (data === undefined ? head.int(-1) : head.buffer(data)).int(-1).done();
}

export function learnerInfo(type: number, sid: bigint, acceptedEpoch: number, configVersion = 0n): Buffer {
  const data = new JuteWriter().long(sid).int(0x10000).long(configVersion).done();
  return quorumPacket(type, BigInt(acceptedEpoch) << 32n, data);
}

export function ackEpoch(lastZxid: bigint, currentEpoch: number): Buffer {
  return quorumPacket(PACKET.ackEpoch, lastZxid, new JuteWriter().int(currentEpoch).done());
}
