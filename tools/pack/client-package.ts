/**
 * Makes of the client's compiled folder what is published: one file for what every program loads, with the
 * wire format in it, and the declarations that users' editors show. npm runs it before it packs the client, and
 * afterwards with `--restore`, which puts the compiler's own output back: the workspace runs from that.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundle } from "./bundle.js";
import { writeDeclarations } from "./declarations.js";
import { compiled, packed, setAside } from "./folders.js";

restore();
if (!process.argv.includes("--restore")) await pack();

/**
 * Packing may have been interrupted at any point. The compiler keeps a note of its own in what it writes, so a
 * folder with that note is its output, made anew since then, and what was set aside is older.
 */
function restore(): void {
  if (!existsSync(setAside)) return;
  if (existsSync(join(compiled, ".tsbuildinfo"))) {
    rmSync(setAside, { recursive: true });
    return;
  }
  rmSync(compiled, { recursive: true, force: true });
  renameSync(setAside, compiled);
}

async function pack(): Promise<void> {
  rmSync(packed, { recursive: true, force: true });
  await bundle();
  writeDeclarations(["index.d.ts", "compat/index.d.ts", "recipes/index.d.ts"]);
  mkdirSync(dirname(setAside), { recursive: true });
  renameSync(compiled, setAside);
  renameSync(packed, compiled);
}
