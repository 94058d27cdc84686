/**
 * Every packet between a leader and its learners (`Leader`'s constants and `QuorumPacket` in Apache's
 * server): number, the name it goes by in logs, and who sends it.
 */
export const quorumPackets = {
  /** A client's write, sync or session request, passed on to the leader. */
  request: { type: 1, name: "REQUEST", sentBy: "learner" },
  /** A txn to be logged by voters. */
  proposal: { type: 2, name: "PROPOSAL", sentBy: "leader" },
  /** The txn, or NEWLEADER, or UPTODATE, is durable with its sender. */
  ack: { type: 3, name: "ACK", sentBy: "learner" },
  commit: { type: 4, name: "COMMIT", sentBy: "leader" },
  /** Keeps the connection; the answer names the sessions touched since the last one. */
  ping: { type: 5, name: "PING", sentBy: "both" },
  /** May this session go on here? */
  revalidate: { type: 6, name: "REVALIDATE", sentBy: "both" },
  /** All that was committed before the sync request has been sent. */
  sync: { type: 7, name: "SYNC", sentBy: "leader" },
  /** To observers: proposal and commit in one. */
  inform: { type: 8, name: "INFORM", sentBy: "leader" },
  /** Commit of a reconfiguration. */
  commitAndActivate: { type: 9, name: "COMMITANDACTIVATE", sentBy: "leader" },
  /** End of the history that the learner must have durably before it acks. */
  newLeader: { type: 10, name: "NEWLEADER", sentBy: "leader" },
  /** A participant's first packet. */
  followerInfo: { type: 11, name: "FOLLOWERINFO", sentBy: "learner" },
  /** A quorum has the leader's history: clients may be served. */
  upToDate: { type: 12, name: "UPTODATE", sentBy: "leader" },
  /** The learner's history is kept, what follows is appended to it. */
  diff: { type: 13, name: "DIFF", sentBy: "leader" },
  /** The learner cuts its history behind this zxid. */
  trunc: { type: 14, name: "TRUNC", sentBy: "leader" },
  /** The learner drops its tree; the leader's follows on the same stream. */
  snap: { type: 15, name: "SNAP", sentBy: "leader" },
  /** An observer's first packet. */
  observerInfo: { type: 16, name: "OBSERVERINFO", sentBy: "learner" },
  /** The epoch that the leader begins. */
  leaderInfo: { type: 17, name: "LEADERINFO", sentBy: "leader" },
  /** The epoch is accepted. */
  ackEpoch: { type: 18, name: "ACKEPOCH", sentBy: "learner" },
  /** To observers: proposal and commit of a reconfiguration in one. */
  informAndActivate: { type: 19, name: "INFORMANDACTIVATE", sentBy: "leader" },
} as const satisfies Readonly<Record<string, QuorumPacketEntry>>;

export interface QuorumPacketEntry {
  readonly type: number;
  readonly name: string;
  readonly sentBy: "leader" | "learner" | "both";
}

type QuorumPacketKind = keyof typeof quorumPackets;

/** The numbers alone: `PACKET.ack` is 3. */
export const PACKET = Object.fromEntries(Object.entries(quorumPackets).map(([kind, entry]) => [kind, entry.type])) as {
  readonly [K in QuorumPacketKind]: (typeof quorumPackets)[K]["type"];
};

const namesByType = new Map<number, string>(Object.values(quorumPackets).map((entry) => [entry.type, entry.name]));

/** How log lines call a packet, also one of a type that is not in the table. */
export function packetName(type: number): string {
  return namesByType.get(type) ?? `packet of unknown type ${type}`;
}
