import type { DiskFile } from "../ports/index.js";

/** A file of another disk, as it is: what is to go otherwise is overridden. */
export class ForwardedFile implements DiskFile {
  readonly path: string;
  private readonly file: DiskFile;

  constructor(file: DiskFile) {
    this.path = file.path;
    this.file = file;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.file.read(target, position);
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.file.write(bytes, position);
  }

  size(): Promise<number> {
    return this.file.size();
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
