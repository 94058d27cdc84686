/** Addresses of the `ip` ACL scheme: `addr` or `addr/bits`, IPv4 and IPv6; the two families never match. */
export interface IpRange {
  readonly bytes: readonly number[];
  readonly bits: number;
}

export function parseIp(text: string): readonly number[] | undefined {
  return text.includes(":") ? parseIp6(text) : parseIp4(text);
}

export function parseIpRange(text: string): IpRange | undefined {
  const [address, bitsText, ...rest] = text.split("/");
  const bytes = address === undefined || rest.length > 0 ? undefined : parseIp(address);
  if (bytes === undefined) return undefined;
  if (bitsText === undefined) return { bytes, bits: bytes.length * 8 };
  const bits = parseNumber(bitsText, bytes.length * 8);
  return bits === undefined ? undefined : { bytes, bits };
}

export function matchesIp(range: IpRange, address: readonly number[]): boolean {
  if (range.bytes.length !== address.length) return false;
  for (let bit = 0; bit < range.bits; bit += 8) {
    const left = range.bits - bit;
    const mask = left >= 8 ? 0xff : (0xff00 >> left) & 0xff;
    if (((range.bytes[bit / 8]! ^ address[bit / 8]!) & mask) !== 0) return false;
  }
  return true;
}

function parseIp4(text: string): readonly number[] | undefined {
  const bytes = text.split(".").map((part) => parseNumber(part, 255));
  return bytes.length === 4 && bytes.every((byte) => byte !== undefined) ? bytes : undefined;
}

/** From 0 to `max`, in every form that Java's `parseInt` takes: an ACL that a data directory has may hold any. */
function parseNumber(text: string, max: number): number | undefined {
  if (!/^(\+?\d+|-0+)$/.test(text)) return undefined;
  const number = Math.abs(Number(text));
  return number <= max ? number : undefined;
}

function parseIp6(text: string): readonly number[] | undefined {
  const zone = text.indexOf("%");
  const halves = (zone < 0 ? text : text.slice(0, zone)).split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const embedded = i === parts.length - 1 && part.includes(".") ? parseIp4(part) : undefined;
    if (embedded !== undefined) bytes.push(...embedded);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part))
      bytes.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff);
    else return undefined;
  }
  return bytes.length > 16 ? undefined : bytes;
}
