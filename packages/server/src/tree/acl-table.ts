import { type Acl, acl, ByteReader, ByteWriter, vector } from "@watchkeeper/wire";

/**
 * The distinct ACL lists in use. A node holds a list's number; equal lists (order included) share
 * one. Lists are counted, so that a list no node uses goes away with its number.
 */
export const OPEN_ACL = -1;

const aclVector = vector(acl);
const openAcl: readonly Acl[] = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
export const OPEN_ACL_BYTES: Uint8Array = encodeAcl(openAcl);

interface AclEntry {
  readonly list: readonly Acl[];
  readonly bytes: Uint8Array;
  readonly key: string;
  uses: number;
}

export function encodeAcl(list: readonly Acl[]): Uint8Array {
  const writer = new ByteWriter(64);
  aclVector.encode(writer, list as Acl[]);
  return writer.view().slice();
}

export function decodeAcl(bytes: Uint8Array, start: number, end: number): Acl[] {
  return aclVector.decode(new ByteReader(bytes, start, end));
}

export class AclTable {
  private readonly entries = new Map<number, AclEntry>();
  private readonly numbers = new Map<string, number>();
  private nextNumber = 1;
  /** The open list as clients and transactions spell it: nearly every create carries exactly these bytes. */
  private openNumber = 0;

  /** The number of the list whose encoding is `[start, end)`; one use is counted. */
  use(bytes: Uint8Array, start: number, end: number): number {
    if (this.openNumber !== 0 && isOpenAcl(bytes, start, end)) {
      this.entries.get(this.openNumber)!.uses += 1;
      return this.openNumber;
    }
    const key = keyOf(bytes, start, end);
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.nextNumber++;
      this.add(number, key, bytes.slice(start, end));
    }
    this.entries.get(number)!.uses += 1;
    return number;
  }

  /** A list of a snapshot; no use is counted, and `dropUnused` forgets it where no node follows. */
  restore(bytes: Uint8Array, start: number, end: number): number {
    const key = keyOf(bytes, start, end);
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const number = this.nextNumber++;
    this.add(number, key, bytes.slice(start, end));
    return number;
  }

  private add(number: number, key: string, bytes: Uint8Array): void {
    this.entries.set(number, { list: decodeAcl(bytes, 0, bytes.length), bytes, key, uses: 0 });
    this.numbers.set(key, number);
    if (isOpenAcl(bytes, 0, bytes.length)) this.openNumber = number;
  }

  /** One more use of a list that is in the table. */
  useAgain(number: number): void {
    if (number !== OPEN_ACL) this.entries.get(number)!.uses += 1;
  }

  release(number: number): void {
    if (number === OPEN_ACL) return;
    const entry = this.entries.get(number)!;
    entry.uses -= 1;
    if (entry.uses > 0) return;
    this.forget(number, entry);
  }

  private forget(number: number, entry: AclEntry): void {
    this.entries.delete(number);
    if (this.numbers.get(entry.key) === number) this.numbers.delete(entry.key);
    if (this.openNumber === number) this.openNumber = 0;
  }

  /** Lists that a snapshot had and no node of it used. */
  dropUnused(): void {
    for (const [number, entry] of this.entries) if (entry.uses === 0) this.forget(number, entry);
  }

  isOpen(number: number): boolean {
    return number === OPEN_ACL || number === this.openNumber;
  }

  list(number: number): readonly Acl[] {
    return number === OPEN_ACL ? openAcl : this.entries.get(number)!.list;
  }

  /** A list that is in no table yet. */
  decode(bytes: Uint8Array): readonly Acl[] {
    return decodeAcl(bytes, 0, bytes.length);
  }

  bytes(number: number): Uint8Array {
    return number === OPEN_ACL ? OPEN_ACL_BYTES : this.entries.get(number)!.bytes;
  }

  all(): { aclId: number; bytes: Uint8Array }[] {
    return [...this.entries].map(([aclId, entry]) => ({ aclId, bytes: entry.bytes }));
  }
}

export function isOpenAcl(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== OPEN_ACL_BYTES.length) return false;
  for (let i = 0; i < OPEN_ACL_BYTES.length; i++) if (bytes[start + i] !== OPEN_ACL_BYTES[i]) return false;
  return true;
}

function keyOf(bytes: Uint8Array, start: number, end: number): string {
  let key = "";
  for (let i = start; i < end; i++) key += String.fromCharCode(bytes[i]!);
  return key;
}
