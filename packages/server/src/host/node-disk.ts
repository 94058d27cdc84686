import fs from "node:fs";
import { join } from "node:path";
import { getSystemErrorMap } from "node:util";
import { type Disk, DiskError, type DiskFile, type OpenOptions } from "../ports/index.js";

/**
 * The machine's disk. Plain callbacks underneath: one promise per operation and nothing else, since the
 * log's append is on the way of every write.
 *
 * A durable file is opened with O_DSYNC, so that the write itself waits for the disk and there is no
 * second trip through the thread pool for an fdatasync. Where the system has no O_DSYNC the two follow
 * one another.
 */
export class NodeDisk implements Disk {
  async list(directory: string): Promise<string[]> {
    return await call<string[]>(directory, "list", (done) => fs.readdir(directory, done));
  }

  async makeDirectory(directory: string): Promise<void> {
    await call<string | undefined>(directory, "create", (done) => fs.mkdir(directory, { recursive: true }, done));
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    const durable = options.durable ?? false;
    const flags = FLAGS[options.mode] | (durable ? O_DSYNC : 0);
    const descriptor = await call<number>(path, "open", (done) => fs.open(path, flags, 0o644, done));
    return new NodeDiskFile(path, descriptor, durable && O_DSYNC === 0);
  }

  async rename(from: string, to: string): Promise<void> {
    await call<void>(from, `rename to ${to}`, (done) => fs.rename(from, to, done));
  }

  async remove(path: string): Promise<void> {
    await call<void>(path, "remove", (done) => fs.unlink(path, done));
  }

  async syncDirectory(directory: string): Promise<void> {
    const descriptor = await call<number>(directory, "open", (done) => fs.open(directory, fs.constants.O_RDONLY, done));
    try {
      await call<void>(directory, "sync", (done) => fs.fsync(descriptor, done));
    } finally {
      await call<void>(directory, "close", (done) => fs.close(descriptor, done));
    }
  }

  join(directory: string, name: string): string {
    return join(directory, name);
  }
}

/** Not every system has it, though the type says so. */
const O_DSYNC = (fs.constants.O_DSYNC as number | undefined) ?? 0;

const FLAGS = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC,
} as const satisfies Record<OpenOptions["mode"], number>;

class NodeDiskFile implements DiskFile {
  readonly path: string;
  private readonly descriptor: number;
  private readonly syncsEachWrite: boolean;

  constructor(path: string, descriptor: number, syncsEachWrite: boolean) {
    this.path = path;
    this.descriptor = descriptor;
    this.syncsEachWrite = syncsEachWrite;
  }

  async size(): Promise<number> {
    return (await call<fs.Stats>(this.path, "examine", (done) => fs.fstat(this.descriptor, done))).size;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let length = 0;
    while (length < target.length) {
      const step = `read ${target.length} bytes at ${position} of`;
      const read = await call<number>(this.path, step, (done) =>
        fs.read(this.descriptor, target, length, target.length - length, position + length, done),
      );
      if (read === 0) break;
      length += read;
    }
    return length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const step = `write ${bytes.length} bytes at ${position} of`;
    for (let done = 0; done < bytes.length; ) {
      const written = await call<number>(this.path, step, (callback) =>
        fs.write(this.descriptor, bytes, done, bytes.length - done, position + done, callback),
      );
      if (written === 0)
        throw new DiskError("EIO", this.path, `cannot ${step} ${this.path}: the disk takes no more bytes`);
      done += written;
    }
    if (this.syncsEachWrite) await this.sync();
  }

  async truncate(size: number): Promise<void> {
    await call<void>(this.path, `cut to ${size} bytes`, (done) => fs.ftruncate(this.descriptor, size, done));
  }

  /** The data and what is needed to find it again, the file's size included; not its times. */
  async sync(): Promise<void> {
    await call<void>(this.path, "sync", (done) => fs.fdatasync(this.descriptor, done));
  }

  async close(): Promise<void> {
    await call<void>(this.path, "close", (done) => fs.close(this.descriptor, done));
  }
}

type Done<T> = (error: NodeJS.ErrnoException | null | undefined, value?: T) => void;

/** @param step what is being done, so that "cannot <step> <path>" is a sentence */
function call<T>(path: string, step: string, start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (!error) resolve(value as T);
      else reject(diskError(error, path, step));
    });
  });
}

function diskError(error: NodeJS.ErrnoException, path: string, step: string): DiskError {
  const code = error.code ?? "EIO";
  const meaning = getSystemErrorMap().get(error.errno ?? 0)?.[1] ?? error.message;
  const object = step.startsWith("rename") ? `${path}: cannot ${step}` : `cannot ${step} ${path}`;
  return new DiskError(code, path, `${object}: ${meaning} (${code})`, { cause: error });
}
