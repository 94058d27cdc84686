/**
 * The rules for paths, checked before anything is sent, so that a mistake is named where it was made.
 * Source: PathUtils.validatePath. Characters that a terminal or an XML file cannot hold are refused.
 */

/** What is wrong with the path, or undefined. */
export function pathProblem(path: unknown): string | undefined {
  if (typeof path !== "string") return `a path as a string expected, ${path === null ? "null" : typeof path} found`;
  if (path === "") return "the path is empty";
  if (path.charCodeAt(0) !== 0x2f) return 'a path starts with "/"';
  if (path.length === 1) return undefined;
  let start = 1;
  for (let i = 1; i <= path.length; i++) {
    const code = i < path.length ? path.charCodeAt(i) : 0x2f;
    if (code === 0x2f) {
      const problem = componentProblem(path, start, i);
      if (problem !== undefined) return problem;
      start = i + 1;
    } else if (isRefused(code)) {
      return `the character U+${code.toString(16).toUpperCase().padStart(4, "0")} at index ${i} is not allowed in a path`;
    }
  }
  return undefined;
}

/** A sequential node gets its number from the server, so that its own name may be empty. */
export function sequentialPathProblem(path: unknown): string | undefined {
  return pathProblem(typeof path === "string" ? `${path}1` : path);
}

function componentProblem(path: string, start: number, end: number): string | undefined {
  if (end === start) return end === path.length ? 'a path does not end with "/"' : `an empty name at index ${start}`;
  const relative =
    path.charCodeAt(start) === 0x2e && (end === start + 1 || (end === start + 2 && path[start + 1] === "."));
  return relative ? `relative names ("." and "..") are not allowed, found at index ${start}` : undefined;
}

function isRefused(code: number): boolean {
  if (code >= 0x20 && code < 0x7f) return false;
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0;
}
