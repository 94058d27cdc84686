import { decodeText, encodeText } from "@watchkeeper/wire";
import { type Disk, DiskError } from "../ports/index.js";

/** Small files that are replaced whole: after a crash the old content or the new is there, never a mixture. */
const SMALL_FILE_BYTES_MAX = 1 << 20;

/** @returns undefined where there is no such file */
export async function readSmallFile(disk: Disk, path: string): Promise<string | undefined> {
  try {
    const file = await disk.open(path, { mode: "read" });
    try {
      const bytes = new Uint8Array(Math.min(await file.size(), SMALL_FILE_BYTES_MAX));
      return decodeText(bytes, 0, await file.read(bytes, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof DiskError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Through `<name>.tmp`, synced and renamed, as Apache does, whose start looks at such a file where an epoch's write was cut off. */
export async function replaceSmallFile(disk: Disk, directory: string, name: string, text: string): Promise<void> {
  const temporaryPath = disk.join(directory, `${name}.tmp`);
  const file = await disk.open(temporaryPath, { mode: "create" });
  try {
    await file.write(encodeText(text), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporaryPath, disk.join(directory, name));
  await disk.syncDirectory(directory);
}
