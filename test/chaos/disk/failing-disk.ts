/** The machine's disk, until one planned operation fails: then it has done half of its work, or all of it but told nobody. */
import { ForwardedFile } from "../../../packages/server/dist/host/forwarded-file.js";
import { NodeDisk } from "../../../packages/server/dist/host/node-disk.js";
import { DiskError, type DiskFile, type OpenOptions } from "../../../packages/server/dist/ports/index.js";

export interface PlannedFailure {
  /**
   * "sync": the bytes of a durable write are handed over, but its sync fails. "write": only half of them
   * are. "fill": a write that is not durable fails, as of a snapshot or of the zeros ahead of a log.
   */
  readonly step: "sync" | "write" | "fill" | "create" | "rename" | "syncDirectory";
  /** Part of the path. */
  readonly of: string;
  /** How many of its kind succeed before. */
  readonly after: number;
  readonly code: string;
}

export class FailingDisk extends NodeDisk {
  struck = false;
  /** Nothing fails, and nothing is counted, before this is set. */
  armed = false;
  private readonly failure: PlannedFailure;
  private left: number;

  constructor(failure: PlannedFailure) {
    super();
    this.failure = failure;
    this.left = failure.after;
  }

  override async open(path: string, options: OpenOptions): Promise<DiskFile> {
    if (options.mode === "create") this.strike("create", path);
    return new FailingFile(await super.open(path, options), options.durable ?? false, this);
  }

  override async rename(from: string, to: string): Promise<void> {
    this.strike("rename", from);
    await super.rename(from, to);
  }

  override async syncDirectory(directory: string): Promise<void> {
    this.strike("syncDirectory", directory);
    await super.syncDirectory(directory);
  }

  /** @throws the planned failure, if its turn has come; once it has, for good, as a disk that is broken */
  strike(step: PlannedFailure["step"], path: string): void {
    const { failure } = this;
    if (!this.armed || step !== failure.step || !path.includes(failure.of)) return;
    if (this.left > 0) {
      this.left -= 1;
      return;
    }
    this.struck = true;
    throw new DiskError(failure.code, path, `cannot ${step} ${path}: planned failure (${failure.code})`);
  }
}

class FailingFile extends ForwardedFile {
  private readonly durable: boolean;
  private readonly disk: FailingDisk;

  constructor(file: DiskFile, durable: boolean, disk: FailingDisk) {
    super(file);
    this.durable = durable;
    this.disk = disk;
  }

  override async write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      this.disk.strike(this.durable ? "write" : "fill", this.path);
    } catch (error) {
      await super.write(bytes.subarray(0, bytes.length >> 1), position);
      throw error;
    }
    await super.write(bytes, position);
    if (this.durable) this.disk.strike("sync", this.path);
  }
}
