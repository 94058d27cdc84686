import { ForwardedFile } from "../host/forwarded-file.js";
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

class ObservedFile extends ForwardedFile {
  private readonly fileBytes: number;
  private readonly beforeRead: BeforeRead;

  constructor(file: DiskFile, fileBytes: number, beforeRead: BeforeRead) {
    super(file);
    this.fileBytes = fileBytes;
    this.beforeRead = beforeRead;
  }

  override async read(target: Uint8Array, position: number): Promise<number> {
    await this.beforeRead(this.path, position, this.fileBytes);
    return await super.read(target, position);
  }
}
