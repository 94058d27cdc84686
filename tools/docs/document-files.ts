import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const workspace = fileURLToPath(new URL("../..", import.meta.url));

/** What is written for people, by its path from the workspace's root, which comes before what is in its folders. */
export const documents: readonly string[] = [
  ...readdirSync(workspace).filter((name) => name.endsWith(".md")),
  ...namesIn("docs", ".md"),
  ...readdirSync(join(workspace, "packages")).map((name) => `packages/${name}/README.md`),
];

/** The files of a folder, at any depth, whose names end so. */
export function namesIn(path: string, ending: string): string[] {
  const names = readdirSync(join(workspace, path), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => `${path}/${name}`);
}
