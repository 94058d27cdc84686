import { NodeDisk } from "../host/node-disk.js";
import type { DiskFile, OpenOptions } from "../ports/index.js";

/** Called before each read of a file that was opened to be read; the read waits for it. */
export type BeforeRead = (path: string, position: number, fileBytes: number) => Promise<void>;

/** The machine's disk, looked at while it is read: to tell how far the work is, and to wait for slow readers of its output. */
export class ObservedDisk extends NodeDisk {
  private readonly beforeRead: BeforeRead;

  constructor(beforeRead: BeforeRead) {
    super();
    this.beforeRead = beforeRead;
  }

  override async open(path: string, options: OpenOptions): Promise<DiskFile> {
    const file = await super.open(path, options);
    return options.mode === "read" ? new ObservedFile(file, await file.size(), this.beforeRead) : file;
  }
}

class ObservedFile implements DiskFile {
  readonly path: string;
  private readonly file: DiskFile;
  private readonly fileBytes: number;
  private readonly beforeRead: BeforeRead;

  constructor(file: DiskFile, fileBytes: number, beforeRead: BeforeRead) {
    this.path = file.path;
    this.file = file;
    this.fileBytes = fileBytes;
    this.beforeRead = beforeRead;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    await this.beforeRead(this.path, position, this.fileBytes);
    return await this.file.read(target, position);
  }

  size(): Promise<number> {
    return this.file.size();
  }
  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.file.write(bytes, position);
  }
  truncate(size: number): Promise<void> {
    return this.file.truncate(size);
  }
  sync(): Promise<void> {
    return this.file.sync();
  }
  close(): Promise<void> {
    return this.file.close();
  }
}
