/**
 * Numbered nodes below a root, all paths of one length: `#` in the pattern stands for a digit. So a
 * request for any of a million keys is one prepared frame with a few bytes changed, and the load
 * generator keeps no million paths in memory.
 *
 * @example new KeySpace("/bench", "/d###/k###").pathOf(1002) // "/bench/d001/k002"
 */
export class KeySpace {
  readonly root: string;
  readonly pattern: string;
  /** Where the digits stand in a path, the most significant first. */
  readonly digitPositions: readonly number[];

  constructor(root: string, pattern: string) {
    this.root = root;
    this.pattern = pattern;
    this.digitPositions = [...pattern].flatMap((character, i) => (character === "#" ? [root.length + i] : []));
  }

  get capacity(): number {
    return 10 ** this.digitPositions.length;
  }

  pathOf(key: number): string {
    const digits = String(key).padStart(this.digitPositions.length, "0");
    let next = 0;
    return this.root + this.pattern.replaceAll("#", () => digits[next++]!);
  }
}

/** All keys are children of the root. */
export function flatKeys(root: string): KeySpace {
  return new KeySpace(root, "/k#######");
}

/** A thousand keys to a directory: a million nodes as a real tree has them, not below one parent. */
export function nestedKeys(root: string): KeySpace {
  return new KeySpace(root, "/d###/k###");
}

export const KEYS_PER_DIRECTORY = 1000;

/** The parents of nested keys: key 41,007 lies in directory 41. */
export function directoriesOf(root: string): KeySpace {
  return new KeySpace(root, "/d###");
}
