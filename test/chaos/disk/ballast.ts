import { writeFileSync } from "node:fs";

/** Takes what room is left on a file's disk; removing the file gives it back. */
export function fillWithBallast(file: string): void {
  const piece = Buffer.alloc(64 << 10);
  try {
    for (;;) writeFileSync(file, piece, { flag: "a" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}
