import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as client from "@watchkeeper/client";
import * as recipes from "@watchkeeper/client/recipes";
import { documents, namesIn, workspace } from "../document-files.js";

/** An example of a document: a fenced block of TypeScript, or of JavaScript that is TypeScript too. */
export interface Example {
  /** The document, and the heading below which it stands: "docs/recipes/mutex.md Mutex"; the second one there ends in " 2". */
  readonly id: string;
  readonly module: string;
  readonly source: string;
}

const folder = join(workspace, "dist/examples");
const given = "tools/docs/examples/stage/given";

/** Where names come from that an example has not imported itself. */
const providers = new Map([
  ["@watchkeeper/client", Object.keys(client)],
  ["@watchkeeper/client/recipes", Object.keys(recipes)],
  [`../../../${given}.js`, namesGiven()],
]);

/** The documents' examples, and those of the client's doc comments. */
export const documentExamples = documents.flatMap((path) => examplesOf(path));
export const commentExamples = namesIn("packages/client/src", ".ts").flatMap((path) => examplesOf(path));

/**
 * Writes all of them where they are compiled, each a module whose lines have the numbers of its document's, so that
 * what the compiler complains of is found there. @returns what it complains of
 */
export async function compile(): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  for (const { module, source } of [...documentExamples, ...commentExamples]) {
    mkdirSync(dirname(join(folder, module)), { recursive: true });
    writeFileSync(join(folder, module), source);
  }
  return await outputOf(join(workspace, "node_modules/.bin/tsc"), ["-p", "tools/docs/examples/stage"]);
}

/** Plays the documents' examples on a stage of their own. @returns what was wrong with each, or nothing */
export async function play(): Promise<Record<string, string | null>> {
  const program = join(folder, "played/tools/docs/examples/stage/play.js");
  const parts = documentExamples.map(({ id, module }) => ({
    id,
    module: join(folder, "played/dist/examples", module.replace(/ts$/, "js")),
  }));
  return JSON.parse((await outputOf(process.execPath, [program, JSON.stringify(parts)])).split("\n").at(-1) ?? "");
}

function examplesOf(path: string): Example[] {
  const lines = readFileSync(join(workspace, path), "utf8").split("\n");
  const found: Example[] = [];
  const counts = new Map<string, number>();
  let heading = "";
  for (let i = 0; i < lines.length; i++) {
    heading = /^#+ (?:\d+\. )?(.*)/.exec(lines[i]!)?.[1] ?? heading;
    const margin = /^( *(?:\* )?)```(?:ts|js)$/.exec(lines[i]!)?.[1];
    if (margin === undefined) continue;
    const end = lines.findIndex((line, at) => at > i && line === `${margin}\`\`\``);
    const code = lines.slice(i + 1, end).map((line) => line.slice(margin.length));
    const place = `${path} ${heading}`.trimEnd();
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    const module = `${path.replaceAll(/[/.]/g, "-")}/line-${i + 2}.ts`;
    found.push({ id: count === 1 ? place : `${place} ${count}`, module, source: moduleOf(code, i + 1) });
    i = end;
  }
  return found;
}

/**
 * The servers that an example connects to are those of the stage, and so are the names that it neither declares nor
 * imports: an earlier example has.
 */
function moduleOf(code: readonly string[], linesBefore: number): string {
  const text = code
    .join("\n")
    .replaceAll(/"(?:[\w.]+:2181,?)+(\/\w+)?"/g, (_, chroot = "") => `\`\${servers}${chroot}\``);
  const imports = [...providers].map(([from, names]) => {
    const missing = names.filter((name) => uses(text, name) && !declares(text, name));
    return missing.length === 0 ? "" : `import { ${missing.join(", ")} } from "${from}";`;
  });
  return `${imports.join(" ")}${"\n".repeat(linesBefore)}${text}\nexport {};\n`;
}

function uses(text: string, name: string): boolean {
  return new RegExp(`(?<![.\\w"/])${name}\\b(?!["/:])`).test(text);
}

function declares(text: string, name: string): boolean {
  return new RegExp(`(?:const|let|function|class) ${name}\\b|import [^;"]*\\b${name}\\b`).test(text);
}

function namesGiven(): string[] {
  const text = readFileSync(join(workspace, `${given}.ts`), "utf8");
  return [...text.matchAll(/^export (?:const|let|(?:async )?function|\* as|\{) (\w+)/gm)].map(([, name]) => name!);
}

/** The compiler ends with an error where it complains, so only what is said of it on standard error is one here. */
function outputOf(command: string, argv: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // An example may listen to SIGTERM.
    const options = { cwd: workspace, timeout: 40_000, killSignal: "SIGKILL" } as const;
    execFile(command, [...argv], options, (error, stdout, stderr) => {
      if (error?.killed || stderr.includes("Error:")) reject(new Error(stderr, { cause: error }));
      else resolve(stdout.trim());
    });
  });
}
