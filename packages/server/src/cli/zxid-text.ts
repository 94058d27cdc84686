import { InvalidArgumentError } from "commander";
import { formatZxid, isZxid } from "../storage/index.js";

/** Only hex, with its 0x: file names have it without, so that "10" could mean ten or sixteen. */
export function parseZxid(text: string): number {
  const zxid = /^0x[0-9a-f]{1,16}$/i.test(text) ? Number(text) : Number.NaN;
  if (!isZxid(zxid)) throw new InvalidArgumentError("a zxid in hex expected, such as 0x1a or 0x300000007.");
  return zxid;
}

export function zxidOrNull(zxid: number | undefined): string | null {
  return zxid === undefined ? null : formatZxid(zxid);
}
