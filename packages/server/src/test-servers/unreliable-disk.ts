import { type Disk, DiskError, type DiskFile, type OpenOptions } from "../ports/index.js";

/** A disk, in memory or the machine's, whose next fsync can be told to fail. */
export class UnreliableDisk implements Disk {
  private readonly disk: Disk;
  private failsNextSync = false;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  failNextSync(): void {
    this.failsNextSync = true;
  }

  list(directory: string): Promise<string[]> {
    return this.disk.list(directory);
  }

  makeDirectory(directory: string): Promise<void> {
    return this.disk.makeDirectory(directory);
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    const file = await this.disk.open(path, options);
    return {
      path: file.path,
      size: () => file.size(),
      read: (target, position) => file.read(target, position),
      truncate: (size) => file.truncate(size),
      close: () => file.close(),
      write: async (bytes, position) => {
        await file.write(bytes, position);
        if (options.durable === true) this.strike(path);
      },
      sync: async () => {
        this.strike(path);
        await file.sync();
      },
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.disk.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.disk.remove(path);
  }

  async syncDirectory(directory: string): Promise<void> {
    this.strike(directory);
    await this.disk.syncDirectory(directory);
  }

  join(directory: string, name: string): string {
    return this.disk.join(directory, name);
  }

  private strike(path: string): void {
    if (!this.failsNextSync) return;
    this.failsNextSync = false;
    throw new DiskError("EIO", path, `cannot sync ${path}: this fsync was told to fail (EIO)`);
  }
}
