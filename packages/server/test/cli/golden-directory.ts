import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { onTestFinished } from "vitest";

/** What a real Apache server wrote, and what it served from it when started again. */
export interface Golden {
  readonly files: Readonly<Record<string, { readonly gzipBase64: string }>>;
  readonly expected: {
    readonly sessions: readonly { readonly id: string; readonly timeoutMs: number }[];
    readonly logs: Readonly<Record<string, readonly GoldenTxn[]>>;
    readonly nodes: Readonly<Record<string, GoldenNode>>;
    readonly fuzzySnapshots?: readonly string[];
  };
}

export interface GoldenTxn {
  readonly zxid: string;
  readonly type: number;
  readonly digest: string | null;
}

export interface GoldenNode {
  readonly data: { readonly hex: string } | null;
  readonly stat: Readonly<Record<string, string | number>>;
  readonly acl: readonly { readonly perms: number; readonly id: { readonly scheme: string; readonly id: string } }[];
  readonly persistedEphemeralOwner: string;
}

export function golden(name: "fresh" | "populated" | "gz" | "snappy"): Golden {
  const file = new URL(`../../../../test/golden/storage/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Golden;
}

/** A data directory of Apache's, written out for one test. */
export class GoldenDirectory {
  readonly root: string;

  constructor(name: Parameters<typeof golden>[0]) {
    this.root = temporaryDirectory();
    for (const [file, { gzipBase64 }] of Object.entries(golden(name).files)) {
      const path = join(this.root, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, gunzipSync(Buffer.from(gzipBase64, "base64")));
    }
  }

  path(file: string): string {
    return join(this.root, "version-2", file);
  }

  read(file: string): Buffer {
    return readFileSync(this.path(file));
  }

  write(file: string, bytes: Uint8Array): void {
    writeFileSync(this.path(file), bytes);
  }

  remove(...files: string[]): void {
    for (const file of files) rmSync(this.path(file));
  }

  /** Turns one bit. */
  damage(file: string, offset: number): void {
    const bytes = this.read(file);
    bytes[offset] = bytes[offset]! ^ 1;
    this.write(file, bytes);
  }
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "watchkeeper-cli-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
