/** A file system of a few megabytes that is really full, or really read-only. */
import { execFileSync } from "node:child_process";
import { withTemporaryDirectory } from "../support/temporary-directory.js";

export class Tmpfs {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  resize(mebibytes: number): void {
    this.remount(`size=${mebibytes}m`);
  }

  readOnly(isReadOnly: boolean): void {
    this.remount(isReadOnly ? "ro" : "rw");
  }

  private remount(options: string): void {
    execFileSync("mount", ["-o", `remount,${options}`, this.directory]);
  }
}

export async function withTmpfs<T>(mebibytes: number, run: (tmpfs: Tmpfs) => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) {
    throw new Error("a full disk is tested on a small tmpfs, and mounting one needs root: run this test as root");
  }
  return withTemporaryDirectory("tmpfs", async (directory) => {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", directory]);
    try {
      return await run(new Tmpfs(directory));
    } finally {
      execFileSync("umount", [directory]);
    }
  });
}
