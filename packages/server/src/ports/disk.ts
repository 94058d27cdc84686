/**
 * The disk as storage sees it. The real one is `host/node-disk.ts`; the simulated one loses what was
 * not made durable. Every operation either did all it says or rejects with a `DiskError`: a write that
 * wrote only part of its bytes has failed.
 */
export interface DiskFile {
  readonly path: string;
  size(): Promise<number>;
  /** Reads into `target` from `position` on; returns the bytes read, fewer than asked only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /**
   * Writes all of `bytes` at `position`. On a file opened with `durable` it resolves only when the
   * bytes have reached the disk, so that one call is both the write and its fsync.
   * `bytes` must not change until then.
   */
  write(bytes: Uint8Array, position: number): Promise<void>;
  truncate(size: number): Promise<void>;
  /** Resolves when everything written before has reached the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** "read": must exist. "write": must exist, read and write. "create": made empty, whatever was there. */
  readonly mode: "read" | "write" | "create";
  /** Every write waits until it is on the disk. @default false */
  readonly durable?: boolean;
}

export interface Disk {
  /** The names in a directory, in no order; rejects with ENOENT where there is none. */
  list(directory: string): Promise<string[]>;
  /** Makes the directory and its missing parents; does nothing where it exists. */
  makeDirectory(directory: string): Promise<void>;
  open(path: string, options: OpenOptions): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes the directory's entries durable: without it a new file may vanish in a power cut though its bytes were synced. */
  syncDirectory(directory: string): Promise<void>;
  join(directory: string, name: string): string;
}

export class DiskError extends Error {
  override readonly name = "DiskError";
  /** The system's own code: ENOSPC, EIO, EROFS, ENOENT, EACCES ... */
  readonly code: string;
  readonly path: string;

  constructor(code: string, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}
