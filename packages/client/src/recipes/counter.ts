import type { Client } from "../client.js";
import { ZkError } from "../errors.js";
import { remainingOf, type WaitOptions } from "./patience.js";
import { SharedValue } from "./shared-value.js";

/**
 * How the number stands in the node.
 *
 * | encoding | the same as |
 * | --- | --- |
 * | text | kazoo's `Counter` |
 * | int32 | Curator's `SharedCount`, kazoo's `Counter` with `support_curator` |
 * | int64 | Curator's `DistributedAtomicLong` |
 */
export type CounterEncoding = "text" | "int32" | "int64";

interface Codec {
  encode(value: bigint): Buffer;
  decode(data: Buffer): bigint;
}

const CODECS: Readonly<Record<CounterEncoding, Codec>> = {
  text: { encode: (value) => Buffer.from(String(value)), decode: (data) => BigInt(data.toString("latin1")) },
  int32: {
    encode: (value) => big(4, (buffer) => buffer.writeInt32BE(Number(value))),
    decode: (data) => BigInt(data.readInt32BE()),
  },
  int64: {
    encode: (value) => big(8, (buffer) => buffer.writeBigInt64BE(value)),
    decode: (data) => data.readBigInt64BE(),
  },
};

/**
 * A number that many add to, none of whose additions is lost. Without a connection every call waits for one,
 * within its `signal` and `timeoutMs`. An addition whose reply is lost, or not waited for, rejects with `outcome`
 * "unknown": it may have been made, and is not made twice.
 */
export class Counter {
  readonly path: string;
  private readonly shared: SharedValue;
  private readonly codec: Codec;

  constructor(client: Client, path: string, { encoding = "int64" }: { readonly encoding?: CounterEncoding } = {}) {
    this.path = path;
    this.codec = CODECS[encoding];
    this.shared = new SharedValue(client, path, this.codec.encode(0n));
  }

  /**
   * The number as the connected server has it, which may be behind; 0 where there is none yet, which is written
   * then.
   */
  async get(options?: WaitOptions): Promise<bigint> {
    return this.decode((await this.shared.get(options)).value);
  }

  /** Adds, and returns the sum. @throws RangeError the sum does not fit; BAD_ARGUMENTS the node holds something else */
  async add(delta: bigint, options?: WaitOptions): Promise<bigint> {
    return this.decode(await this.shared.update((data) => this.codec.encode(this.decode(data) + delta), options));
  }

  /** Puts another number in the place of whatever is there. */
  async set(value: bigint, options?: WaitOptions): Promise<void> {
    await this.shared.set(this.codec.encode(value), options);
  }

  /** Puts `value` there if `expected` is there; else false. */
  async replace(expected: bigint, value: bigint, options: WaitOptions = {}): Promise<boolean> {
    const left = remainingOf(options);
    for (;;) {
      const { value: data, version } = await this.shared.get(left());
      if (this.decode(data) !== expected) return false;
      if (await this.shared.replace(version, this.codec.encode(value), left())) return true;
    }
  }

  private decode(data: Buffer | null): bigint {
    if (data === null || data.length === 0) return 0n; // kazoo's, before its first addition
    try {
      return this.codec.decode(data);
    } catch (cause) {
      const details = "a number in the counter's encoding expected";
      const { path } = this;
      throw new ZkError({ code: "BAD_ARGUMENTS", outcome: "not-applied", operation: "counter", path, details, cause });
    }
  }
}

function big(bytes: number, write: (buffer: Buffer) => unknown): Buffer {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
}
