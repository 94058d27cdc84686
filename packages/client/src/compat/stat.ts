import type { Stat as ClientStat } from "../index.js";

type Longs = "czxid" | "mzxid" | "ctime" | "mtime" | "ephemeralOwner" | "pzxid";

/** A node's Stat; its 64-bit numbers are buffers of 8 bytes. */
export type Stat = { [K in keyof ClientStat]: K extends Longs ? Buffer : number };

export function statOf(stat: ClientStat): Stat {
  return {
    ...stat,
    czxid: longOf(stat.czxid),
    mzxid: longOf(stat.mzxid),
    ctime: longOf(stat.ctime),
    mtime: longOf(stat.mtime),
    ephemeralOwner: longOf(stat.ephemeralOwner),
    pzxid: longOf(stat.pzxid),
  };
}

export function longOf(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}
