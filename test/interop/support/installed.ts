/**
 * What the machine must have for these tests. A test that cannot run is a test that fails: each function
 * here either passes or throws a sentence that says what to install.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Checks that a program is there: by its path, or by its name in one of the directories of PATH. */
export function requireProgram(program: string, debianPackages: string): void {
  const { PATH = "" } = process.env;
  const directories = PATH.split(delimiter);
  const places = isAbsolute(program) ? [program] : directories.map((directory) => join(directory, program));
  if (!places.some(isExecutable)) throw new Error(`${program} is not installed: apt-get install ${debianPackages}`);
}

export function requireFile(file: string, debianPackages: string): void {
  if (!existsSync(file)) throw new Error(`${file} is missing: apt-get install ${debianPackages}`);
}
