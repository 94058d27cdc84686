import { type Disk, DiskError, type DiskFile, type OpenOptions, type Random } from "../ports/index.js";
import { MemoryInode } from "./memory-inode.js";

/**
 * A disk in memory that behaves at its worst within what a real one may do: what was not synced is
 * lost, kept or torn in a crash, sector by sector; names that were not synced with their directory
 * come and go; a write may run out of space half way, a sync may fail.
 *
 * Every operation takes effect in a later microtask than its call, and reads nothing but its own
 * arguments in between, so that operations which overlap here overlap as they would on a machine.
 */
export interface DiskOperation {
  readonly kind: "list" | "open" | "read" | "write" | "truncate" | "sync" | "rename" | "remove" | "syncDirectory";
  readonly path: string;
  /** Of reads and writes. */
  readonly position?: number;
  readonly byteCount?: number;
}

interface NameChange {
  readonly directory: string;
  apply(names: Map<string, MemoryInode>): void;
}

interface PlannedFailure {
  readonly kind: "write" | "sync";
  /** How many more of its kind succeed before it strikes. */
  left: number;
  readonly code: string;
}

export class MemoryDisk implements Disk {
  /** Bytes that all files together may take. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Called before each operation takes effect; what it returns is waited for. For tests that hold one back. */
  beforeOperation: ((operation: DiskOperation) => Promise<void> | undefined) | undefined;
  /** Handles of an earlier life are dead. */
  private life = 0;
  private readonly directories = new Set<string>(["/"]);
  private names = new Map<string, MemoryInode>();
  /** The names a crash leaves for sure, and the changes it may or may not leave, in order. */
  private durableNames = new Map<string, MemoryInode>();
  private nameChanges: NameChange[] = [];
  private failures: PlannedFailure[] = [];

  /** The `nth` write from now on (1 is the next) writes about half of its bytes and fails. */
  failWrite(nth: number, code: string): void {
    this.failures.push({ kind: "write", left: nth - 1, code });
  }

  /** The `nth` sync from now on fails: of a file, of a directory, or the one within a durable write. */
  failSync(nth: number, code: string): void {
    this.failures.push({ kind: "sync", left: nth - 1, code });
  }

  /** Failures that were planned and have not struck will not. */
  mend(): void {
    this.failures = [];
  }

  /**
   * The power goes and comes back: what was made durable is there, of the rest each sector and each
   * change of a name may be there or not. Open files and operations under way fail from now on.
   */
  crash(random: Random): void {
    this.life++;
    this.failures = [];
    const kept = random.below(this.nameChanges.length + 1);
    for (const change of this.nameChanges.slice(0, kept)) change.apply(this.durableNames);
    this.nameChanges = [];
    this.names = new Map(this.durableNames);
    for (const inode of new Set(this.names.values())) inode.crash(random);
  }

  /** A file's bytes as a reader would find them now. */
  contents(path: string): Uint8Array {
    return this.inode(path, "read").snapshot();
  }

  /** What a crash now would leave of a file for sure; undefined where it may leave none. */
  surviving(path: string): Uint8Array | undefined {
    return this.durableNames.get(path)?.surviving();
  }

  /** Lays down a file, durably, without any operation. */
  setContents(path: string, bytes: Uint8Array): void {
    const inode = new MemoryInode();
    inode.write(bytes, 0);
    inode.sync();
    this.makeParents(directoryOf(path));
    this.names.set(path, inode);
    this.durableNames.set(path, inode);
  }

  get usedBytes(): number {
    let used = 0;
    for (const inode of this.names.values()) used += inode.size;
    return used;
  }

  async list(directory: string): Promise<string[]> {
    await this.turn({ kind: "list", path: directory });
    if (!this.directories.has(directory)) throw noSuchFile("list", directory);
    const children = [...this.names.keys(), ...this.directories].filter((path) => directoryOf(path) === directory);
    return children.filter((path) => path !== "/").map((path) => path.slice(path.lastIndexOf("/") + 1));
  }

  async makeDirectory(directory: string): Promise<void> {
    this.makeParents(directory);
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    await this.turn({ kind: "open", path });
    const inode = options.mode === "create" ? this.create(path) : this.inode(path, "open");
    return new MemoryFile(this, this.life, path, inode, options);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.turn({ kind: "rename", path: from });
    const inode = this.inode(from, "rename");
    this.changeNames(directoryOf(to), (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  async remove(path: string): Promise<void> {
    await this.turn({ kind: "remove", path });
    this.inode(path, "remove");
    this.changeNames(directoryOf(path), (names) => names.delete(path));
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.turn({ kind: "syncDirectory", path: directory });
    this.strike("sync", directory);
    for (const change of this.nameChanges) if (change.directory === directory) change.apply(this.durableNames);
    this.nameChanges = this.nameChanges.filter((change) => change.directory !== directory);
  }

  join(directory: string, name: string): string {
    return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
  }

  /** Waits until it is the operation's turn. @throws where the machine has crashed meanwhile */
  async turn(operation: DiskOperation, life: number = this.life): Promise<void> {
    await (this.beforeOperation?.(operation) ?? Promise.resolve());
    if (life === this.life) return;
    throw new DiskError("EIO", operation.path, `cannot ${operation.kind} ${operation.path}: the machine has crashed`);
  }

  /** Lets a planned failure strike, if it is due. */
  strike(kind: PlannedFailure["kind"], path: string, before: () => void = () => {}): void {
    for (const failure of this.failures) {
      if (failure.kind !== kind) continue;
      if (failure.left > 0) {
        failure.left--;
        continue;
      }
      this.failures.splice(this.failures.indexOf(failure), 1);
      before();
      throw new DiskError(failure.code, path, `cannot ${kind} ${path}: planned failure (${failure.code})`);
    }
  }

  /** How many of the bytes at `position` the disk has room for. */
  roomFor(inode: MemoryInode, position: number, byteCount: number): number {
    const growth = Math.max(0, position + byteCount - inode.size);
    const excess = Math.max(0, this.usedBytes + growth - this.capacityBytes);
    return Math.max(0, byteCount - excess);
  }

  private create(path: string): MemoryInode {
    if (!this.directories.has(directoryOf(path))) throw noSuchFile("create", path);
    const existing = this.names.get(path);
    if (existing !== undefined) {
      existing.truncate(0);
      return existing;
    }
    const inode = new MemoryInode();
    this.changeNames(directoryOf(path), (names) => names.set(path, inode));
    return inode;
  }

  private inode(path: string, step: string): MemoryInode {
    const inode = this.names.get(path);
    if (inode === undefined) throw noSuchFile(step, path);
    return inode;
  }

  private changeNames(directory: string, apply: (names: Map<string, MemoryInode>) => void): void {
    apply(this.names);
    this.nameChanges.push({ directory, apply });
  }

  private makeParents(directory: string): void {
    for (let path = directory; !this.directories.has(path); path = directoryOf(path)) this.directories.add(path);
  }
}

class MemoryFile implements DiskFile {
  readonly path: string;
  private readonly disk: MemoryDisk;
  private readonly life: number;
  private readonly inode: MemoryInode;
  private readonly options: OpenOptions;

  constructor(disk: MemoryDisk, life: number, path: string, inode: MemoryInode, options: OpenOptions) {
    this.disk = disk;
    this.life = life;
    this.path = path;
    this.inode = inode;
    this.options = options;
  }

  async size(): Promise<number> {
    await this.turn("read");
    return this.inode.size;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    await this.turn("read", position, target.length);
    return this.inode.read(target, position);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.mustBeWritable("write");
    const landed = this.inode.beginWrite(bytes, position);
    try {
      await this.turn("write", position, bytes.length);
      const room = this.disk.roomFor(this.inode, position, bytes.length);
      this.disk.strike("write", this.path, () => this.inode.write(bytes.subarray(0, bytes.length >> 1), position));
      this.inode.write(bytes.subarray(0, room), position);
      if (room < bytes.length) {
        throw new DiskError("ENOSPC", this.path, `cannot write ${this.path}: no space left on device (ENOSPC)`);
      }
      if (this.options.durable !== true) return;
      this.disk.strike("sync", this.path);
      this.inode.syncRange(position, position + bytes.length);
    } finally {
      landed();
    }
  }

  async truncate(size: number): Promise<void> {
    this.mustBeWritable("truncate");
    await this.turn("truncate");
    this.inode.truncate(size);
  }

  async sync(): Promise<void> {
    await this.turn("sync");
    this.disk.strike("sync", this.path);
    this.inode.sync();
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  private async turn(kind: DiskOperation["kind"], position?: number, byteCount?: number): Promise<void> {
    const range = position === undefined || byteCount === undefined ? {} : { position, byteCount };
    await this.disk.turn({ kind, path: this.path, ...range }, this.life);
  }

  private mustBeWritable(step: string): void {
    if (this.options.mode !== "read") return;
    throw new DiskError("EBADF", this.path, `cannot ${step} ${this.path}: it is open for reading (EBADF)`);
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function noSuchFile(step: string, path: string): DiskError {
  return new DiskError("ENOENT", path, `cannot ${step} ${path}: no such file or directory (ENOENT)`);
}
