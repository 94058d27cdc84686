import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { compiled, wire } from "./folders.js";

/**
 * What the compiler wrote into one declaration file, as statements. Files are named by their path in the
 * client's compiled folder; the wire format's stand below "wire/".
 */
export interface Statement {
  /** With its comment. */
  readonly text: string;
  /** The name that it declares, if it declares one. */
  readonly declared: string | undefined;
  /** Every word of its code, among them the names of what it refers to. */
  readonly words: ReadonlySet<string>;
}

/** One item of `type a, b as c`. */
export interface ListedName {
  /** How it is called where it comes from. */
  readonly name: string;
  /** How it is called here. */
  readonly known: string;
  /** What stands in the list. */
  readonly written: string;
}

/** What a file imports, by the name by which it knows it. */
export type Imports = ReadonlyMap<string, { readonly name: string; readonly written: string; readonly from: string }>;

/** A type that is named where it is used, as the compiler does where a file does not import it. */
export const INLINE_IMPORT = /import\("((?:\.|@watchkeeper)[^"]*)"\)\.(\w+)/g;

const read = new Map<string, readonly Statement[]>();

export function statementsOf(file: string): readonly Statement[] {
  let statements = read.get(file);
  if (statements === undefined) {
    statements = parse(withoutPrivates(textOf(file)));
    read.set(file, statements);
  }
  return statements;
}

/** What a file imports from this workspace. */
export function importsOf(file: string): Imports {
  const imports = new Map<string, { name: string; written: string; from: string }>();
  for (const { text } of statementsOf(file)) {
    const [, names, from] = /^import (?:type )?\{([^}]*)\} from "((?:\.|@watchkeeper)[^"]*)";/m.exec(text) ?? [];
    if (names === undefined || from === undefined) continue;
    for (const { name, known, written } of listedNames(names))
      imports.set(known, { name, written, from: resolved(file, from) });
  }
  return imports;
}

export function listedNames(list: string): ListedName[] {
  const written = list.split(",").map((text) => text.trim());
  return written.filter((text) => text !== "").map(listedName);
}

function listedName(written: string): ListedName {
  const [name = "", known = name] = written.replace(/^type /, "").split(" as ");
  return { name, known, written };
}

/** The file that declares what `file` exports under this name. */
export function declaring(name: string, file: string): string | undefined {
  const statements = statementsOf(file);
  if (statements.some(({ declared }) => declared === name)) return file;
  for (const { text } of statements) {
    const [, names, from] = /^export (?:type )?\{([^}]*)\} from "([^"]+)";/m.exec(text) ?? [];
    if (names === undefined || from === undefined) continue;
    if (listedNames(names).some((each) => each.name === name)) return declaring(name, resolved(file, from));
  }
  for (const { text } of statements) {
    const [, from] = /^export \* from "([^"]+)";/m.exec(text) ?? [];
    const elsewhere = from === undefined ? undefined : declaring(name, resolved(file, from));
    if (elsewhere !== undefined) return elsewhere;
  }
  return undefined;
}

/** The file that `file` calls `from`. */
export function resolved(file: string, from: string): string {
  if (from === "@watchkeeper/wire") return "wire/index.d.ts";
  return join(dirname(file), from).replace(/\.js$/, ".d.ts");
}

/** How `file` calls another one. */
export function specifier(file: string, target: string): string {
  const path = relative(dirname(file), target).replace(/\.d\.ts$/, ".js");
  return path.startsWith(".") ? path : `./${path}`;
}

/** The compiler writes statements one after the other, from the first column. */
function parse(content: string): Statement[] {
  const found: Statement[] = [];
  let text = "";
  for (const line of content.split("\n")) {
    if (line.startsWith("//# sourceMappingURL=")) continue;
    text += `${line}\n`;
    if (text.lastIndexOf("/*") > text.lastIndexOf("*/")) continue;
    const code = codeOf(text);
    if (!isWhole(code)) continue;
    found.push(statementOf(text, code));
    text = "";
  }
  return found;
}

function statementOf(text: string, code: string): Statement {
  return { text: withOneMark(text), declared: declaredBy(code), words: new Set(code.match(/\w+/g)) };
}

/** A class without the word on how it is made. */
export function withoutConstructor({ text }: Statement): Statement {
  const rest = text.replaceAll(/^\tconstructor\([^;]*\);\n/gm, "");
  return statementOf(rest, codeOf(rest));
}

function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"/g, "").trim();
}

function isWhole(code: string): boolean {
  const opened = code.match(/[{([]/g)?.length ?? 0;
  const closed = code.match(/[})\]]/g)?.length ?? 0;
  if (code === "" || opened !== closed) return false;
  return code.endsWith(";") || (code.endsWith("}") && /^(export |declare |abstract )*(class|interface) /.test(code));
}

function declaredBy(code: string): string | undefined {
  return /^(?:export |declare |abstract )*(?:const|class|function|interface|type) (\w+)/.exec(code)?.[1];
}

/**
 * What is private or protected becomes a mark, which keeps classes apart from others of the same shape, and so does a
 * constructor that is not for applications; neither brings the types of the inside along. Indented by tabs.
 */
function withoutPrivates(text: string): string {
  return text
    .replaceAll(
      /(?: {4}\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)? {4}(?:private|protected) (?!constructor)[^\n]*;\n/g,
      "    #private;\n",
    )
    .replaceAll(
      /( {4}\/\*\* (?:Not for applications|Made by)[^*]*\*\/\n) {4}constructor\([^;]*\);\n/g,
      "$1    private constructor();\n",
    )
    .replaceAll(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
}

/** One mark is enough for a class, and more are an error. */
function withOneMark(text: string): string {
  let marks = 0;
  return text.replaceAll("\t#private;\n", (mark) => (marks++ === 0 ? mark : ""));
}

function textOf(file: string): string {
  const [folder, path] = file.startsWith("wire/") ? [wire, relative("wire", file)] : [compiled, file];
  return readFileSync(join(folder, path), "utf8");
}
