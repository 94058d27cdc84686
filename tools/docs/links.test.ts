import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { documents, workspace } from "./document-files.js";

/**
 * The documents lead to each other: every relative link to a file that is there, with `#...` to a heading of it by the
 * name that the usual viewers give it.
 */
test.each(documents)("every link of %s leads somewhere", (document) => {
  const astray = linksOf(document).filter((link) => !leadsSomewhere(link));
  expect(astray.map(({ written }) => written)).toEqual([]);
});

test("every document is to be found from the first one", () => {
  const found = new Set(["README.md"]);
  for (const document of found) {
    for (const { path } of linksOf(document)) if (documents.includes(path)) found.add(path);
  }
  const pagesOfPackages = documents.filter((document) => document.startsWith("packages/"));
  expect(documents.filter((document) => !found.has(document))).toEqual(pagesOfPackages);
});

interface Link {
  readonly written: string;
  /** The file that it leads to, from the workspace's root. */
  readonly path: string;
  readonly heading: string | undefined;
}

function linksOf(document: string): Link[] {
  const targets = proseOf(document).matchAll(/\]\(([^)\s]+)\)/g);
  const written = [...targets].map(([, target]) => target!).filter((target) => !/^[a-z]+:/.test(target));
  return written.map((target) => {
    const [file = "", heading] = target.split("#");
    const path = file === "" ? document : relative(workspace, join(workspace, dirname(document), file));
    return { written: target, path, heading };
  });
}

function leadsSomewhere({ path, heading }: Link): boolean {
  if (!existsSync(join(workspace, path))) return false;
  return heading === undefined || headingsOf(path).includes(heading);
}

/** As a browser's address has them: small letters, hyphens for spaces, nothing but letters and numbers besides. */
function headingsOf(document: string): string[] {
  const counts = new Map<string, number>();
  return [...proseOf(document).matchAll(/^#+ (.*)$/gm)].map(([, text]) => {
    const shown = text!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const name = shown
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-");
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
}

/** What is not code; what stands in a fence are neither headings nor links. */
function proseOf(document: string): string {
  return readFileSync(join(workspace, document), "utf8").replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
}
