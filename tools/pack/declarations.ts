import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  declaring,
  INLINE_IMPORT,
  importsOf,
  listedNames,
  resolved,
  type Statement,
  specifier,
  statementsOf,
  withoutConstructor,
} from "./declaration-file.js";
import { packed } from "./folders.js";

/** What is published. */
interface Published {
  /** What the entries export, each as its file and its name. */
  readonly exported: Set<string>;
  /** The names that are needed of each file. */
  readonly needed: Map<string, Set<string>>;
}
/** What stands in a list of names, and the file that declares it. */
type Target = readonly [file: string, written: string];

/**
 * Writes the declarations: what an entry exports, what that refers to, and so on, each in the file where it is
 * declared. Files that only pass names on, and whatever nobody refers to, the wire format's above all, stay
 * behind.
 */
export function writeDeclarations(entries: readonly string[]): void {
  const published: Published = { exported: new Set(entries.flatMap(exportsOf)), needed: new Map() };
  const texts = entries.map((entry): [string, string] => [entry, entryText(entry, published)]);
  for (const [file, names] of published.needed) texts.push([file, declarationText(file, names, published)]);
  for (const [file, text] of texts) {
    mkdirSync(dirname(join(packed, file)), { recursive: true });
    writeFileSync(join(packed, file), text);
  }
}

/** An entry consists of lists of what it exports. */
const EXPORTS = /^export (type )?\{([^}]*)\} from "([^"]+)";/m;

function exportsOf(entry: string): string[] {
  return statementsOf(entry).flatMap(({ text }) => {
    const [, , names = "", from = ""] = EXPORTS.exec(text) ?? [];
    return listedNames(names).map(({ name }) => `${requireDeclaring(name, resolved(entry, from))} ${name}`);
  });
}

function entryText(entry: string, published: Published): string {
  return statementsOf(entry)
    .map(({ text }) =>
      text.replace(EXPORTS, (_, type = "", names: string, from: string) => {
        const targets = listedNames(names).map(({ name, written }): Target => {
          return [need(name, resolved(entry, from), published), written];
        });
        return grouped(entry, `export ${type}`, targets);
      }),
    )
    .join("");
}

/** Applications make what they can name: of all else they need not know how it is made. */
function shownStatements(file: string, { exported }: Published): readonly Statement[] {
  return statementsOf(file).map((statement) => {
    return exported.has(`${file} ${statement.declared}`) ? statement : withoutConstructor(statement);
  });
}

/** Notes that a name is needed, with all that its declaration refers to. @returns the file that declares it */
function need(name: string, from: string, published: Published): string {
  const { needed } = published;
  const file = requireDeclaring(name, from);
  const names = needed.get(file) ?? new Set();
  needed.set(file, names);
  if (names.has(name)) return file;
  names.add(name);
  const statements = shownStatements(file, published);
  const imports = importsOf(file);
  for (const { declared, words, text } of statements) {
    if (declared !== name) continue;
    for (const [, from = "", inner = ""] of text.matchAll(INLINE_IMPORT)) need(inner, resolved(file, from), published);
    for (const word of words) {
      const imported = imports.get(word);
      if (imported !== undefined) need(imported.name, imported.from, published);
      else if (statements.some((other) => other.declared === word)) need(word, file, published);
    }
  }
  return file;
}

function declarationText(file: string, names: ReadonlySet<string>, published: Published): string {
  const statements = shownStatements(file, published);
  const kept = statements.filter(({ declared }) => declared !== undefined && names.has(declared));
  const words = new Set(kept.flatMap((statement) => [...statement.words]));
  const used = [...importsOf(file)].filter(([word]) => words.has(word));
  const targets = used.map(([, { name, from, written }]): Target => [requireDeclaring(name, from), written]);
  const foreign = statements.filter(({ text }) => /^import .* from "node:/m.test(text));
  return [
    ...foreign.map(({ text }) => text),
    grouped(file, "import type ", targets),
    ...kept.map(({ text }) => inPlace(file, text)),
  ]
    .filter((text) => text !== "")
    .map((text) => `${text.trimEnd()}\n`)
    .join("");
}

function inPlace(file: string, text: string): string {
  return text.replaceAll(INLINE_IMPORT, (_, from: string, name: string) => {
    return `import("${specifier(file, requireDeclaring(name, resolved(file, from)))}").${name}`;
  });
}

function grouped(file: string, verb: string, targets: readonly Target[]): string {
  const byFile = new Map<string, string[]>();
  for (const [target, written] of targets) byFile.set(target, [...(byFile.get(target) ?? []), written]);
  const lines = [...byFile].map(([target, list]) => {
    const names = verb.endsWith("type ") ? list.map((written) => written.replace(/^type /, "")) : list;
    return `${verb}{ ${names.join(", ")} } from "${specifier(file, target)}";`;
  });
  return lines.join("\n");
}

function requireDeclaring(name: string, from: string): string {
  const file = declaring(name, from);
  if (file === undefined) throw new Error(`${from} has no ${name}, so the client cannot be packed`);
  return file;
}
