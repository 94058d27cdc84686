import { nodeCompression } from "../../src/host/node-compression.js";
import {
  DataDirectoryError,
  dataDirectory,
  type Recovered,
  type RecoveryOptions,
  recover,
  writeSnapshot,
} from "../../src/storage/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { MemoryDisk } from "../../src/testing/memory-disk.js";
import { type Content, ContentSink, ContentSource, contentOf } from "./contents.js";
import { logFile, seenTxn, type TestTxn } from "./txns.js";

/** A data directory on a disk in memory, laid out file by file and recovered from. */
export class Scene {
  readonly disk = new MemoryDisk();
  readonly logger = new KeptLines();
  readonly directory = dataDirectory(this.disk, "/data");

  static async make(): Promise<Scene> {
    const scene = new Scene();
    await scene.disk.makeDirectory(scene.directory.snapDirectory);
    return scene;
  }

  log(list: readonly TestTxn[], change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): this {
    return this.file(`log.${list[0]!.zxid.toString(16)}`, change(logFile(list, 600)));
  }

  file(name: string, bytes: Uint8Array): this {
    this.disk.setContents(`/data/version-2/${name}`, bytes);
    return this;
  }

  async snapshot(zxid: number, content: Content = contentOf(2), digestZxid = zxid): Promise<this> {
    const digest = { zxid: digestZxid, digestHigh: 1, digestLow: -2 };
    const source = new ContentSource(zxid, { ...content, digest });
    await writeSnapshot({
      disk: this.disk,
      directory: this.directory.snapDirectory,
      source,
      logger: this.logger,
      pause: async () => {},
    });
    return this;
  }

  async recover(
    options: RecoveryOptions = {},
  ): Promise<Recovered & { txns: TestTxn[]; sink: ContentSink | undefined }> {
    const seen: TestTxn[] = [];
    let sink: ContentSink | undefined;
    const recovered = await recover({
      disk: this.disk,
      directory: this.directory,
      logger: this.logger,
      compression: nodeCompression,
      options,
      openSnapshot: () => (sink = new ContentSink()),
      apply: (bytes, start, end, zxid) => seen.push(seenTxn(bytes, start, end, zxid)),
    });
    return { ...recovered, txns: seen, sink };
  }

  async failure(options: RecoveryOptions = {}): Promise<DataDirectoryError> {
    const error = await this.recover(options).then(
      (recovered) => new Error(`recovered up to ${recovered.lastZxid}`),
      (reason: unknown) => reason,
    );
    if (!(error instanceof DataDirectoryError)) throw error;
    return error;
  }
}
