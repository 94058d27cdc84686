/**
 * What a power cut does to a transaction log and kill -9 does not: what had been written and not yet
 * synced is gone, wholly or from some byte on. A small library preloaded into the servers (`synced.c`)
 * tells how far each log file was synced; nothing before that point is ever touched, so a server that
 * syncs before it acknowledges loses nothing.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Member } from "../../../interop/ensemble/support/member.js";
import type { SeededRandom } from "../../../support/seeded-random.js";

export class PowerLoss {
  /** Bytes that were taken away so far. */
  bytesTorn = 0;
  private readonly library: string;
  private readonly directory: string;

  private constructor(directory: string, library: string) {
    this.directory = directory;
    this.library = library;
  }

  /** Compiles the library; the directory also takes its notes. */
  static prepare(directory: string): PowerLoss {
    const library = join(directory, "synced.so");
    const source = join(projectRoot(), "test", "chaos", "ensemble", "power-loss", "synced.c");
    const flags = ["-std=gnu11", "-O1", "-shared", "-fPIC"];
    try {
      execFileSync("cc", [...flags, "-o", library, source, "-ldl", "-lpthread"], { stdio: "pipe" });
    } catch (error) {
      throw new Error(`${source} could not be built (it needs: apt-get install gcc libc6-dev): ${error}`);
    }
    return new PowerLoss(directory, library);
  }

  environment(sid: number): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.library, SYNCED_FILE: this.notes(sid), UV_USE_IO_URING: "0" };
  }

  /** Takes from the logs of a server that was killed what a power cut could have taken. */
  tear(member: Member, random: SeededRandom): void {
    const synced = this.syncedEnds(member.sid);
    for (const file of member.logFiles()) {
      const bytes = readFileSync(file);
      const syncedEnd = synced.get(file) ?? 0;
      const end = endOfData(bytes);
      if (end <= syncedEnd) continue;
      const cut = syncedEnd + random.below(end - syncedEnd);
      this.bytesTorn += end - cut;
      // The space was allocated ahead, and what was never written there may read as zeros. Apache's server
      // does not start on a record that ends in zeros, as it would on a torn disk: there the file ends.
      if (member.kind === "watchkeeper" && random.chance(0.5)) writeFileSync(file, bytes.fill(0, cut));
      else truncateSync(file, cut);
    }
  }

  private notes(sid: number): string {
    return join(this.directory, `synced-${sid}`);
  }

  private syncedEnds(sid: number): ReadonlyMap<string, number> {
    const ends = new Map<string, number>();
    if (!existsSync(this.notes(sid))) return ends;
    for (const line of readFileSync(this.notes(sid), "utf8").trimEnd().split("\n")) {
      const space = line.indexOf(" ");
      const file = line.slice(space + 1);
      ends.set(file, Math.max(ends.get(file) ?? 0, Number(line.slice(0, space))));
    }
    return ends;
  }
}

/** Compiled, this file lies elsewhere than its C source. */
function projectRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, "package-lock.json"))) directory = join(directory, "..");
  return directory;
}

function endOfData(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
