import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { MemoryDisk } from "../../src/testing/memory-disk.js";

/** Whole data directories of Apache 3.8.0 servers, and what a restarted Apache made of them (test/golden). */
export interface GoldenDirectory {
  readonly files: Record<string, { readonly gzipBase64: string }>;
  readonly expected: {
    readonly lastZxid: string;
    readonly digest: { readonly zxid: string; readonly treeDigest: string } | null;
    readonly sessions: readonly { readonly id: string; readonly timeoutMs: number }[];
    readonly ephemerals: Record<string, readonly string[]>;
    readonly logs: Record<string, { readonly zxid: string; readonly type: number; readonly digest: string | null }[]>;
    readonly nodes: Record<
      string,
      { readonly data: { readonly hex: string } | null; readonly stat: { readonly mzxid: string } }
    >;
    readonly fuzzySnapshots?: readonly string[];
    /** Of a member of an ensemble. */
    readonly acceptedEpoch?: number;
    readonly currentEpoch?: number;
  };
}

export const GOLDEN_NAMES = ["fresh", "populated", "gz", "snappy", "replicated"] as const;

export function golden(name: (typeof GOLDEN_NAMES)[number]): {
  disk: MemoryDisk;
  expected: GoldenDirectory["expected"];
} {
  const url = new URL(`../../../../test/golden/storage/${name}.json`, import.meta.url);
  const { files, expected } = JSON.parse(readFileSync(url, "utf8")) as GoldenDirectory;
  const disk = new MemoryDisk();
  for (const [path, { gzipBase64 }] of Object.entries(files)) {
    disk.setContents(`/data/${path}`, Uint8Array.from(gunzipSync(Buffer.from(gzipBase64, "base64"))));
  }
  return { disk, expected };
}
