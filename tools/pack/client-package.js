/**
 * Makes of the client's compiled folder what is published: one file for what every program loads, with the
 * wire format in it, and the declarations that users' editors show. Run by npm before it packs the client;
 * afterwards `--restore` puts the compiler's own output back, which the rest of the workspace runs from.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const workspace = fileURLToPath(new URL("../..", import.meta.url));
const compiled = join(workspace, "packages/client/dist");
const wire = join(workspace, "packages/wire/dist");
const setAside = join(workspace, "dist/client-compiled");
const packed = join(workspace, "dist/client-packed");
const statements = new Map();
const INLINE_IMPORT = /import\("((?:\.|@watchkeeper)[^"]*)"\)\.(\w+)/g;

if (existsSync(setAside)) {
  rmSync(compiled, { recursive: true, force: true });
  renameSync(setAside, compiled);
}
if (!process.argv.includes("--restore")) {
  rmSync(packed, { recursive: true, force: true });
  await bundle();
  writeDeclarations(["index.d.ts", "compat/index.d.ts", "recipes/index.d.ts"]);
  mkdirSync(dirname(setAside), { recursive: true });
  renameSync(compiled, setAside);
  renameSync(packed, compiled);
}

/** Entries keep their places; what is loaded only on demand (TLS, the connection's thread) stays apart. */
async function bundle() {
  const build = await rolldown({
    input: {
      index: join(compiled, "index.js"),
      "compat/index": join(compiled, "compat/index.js"),
      "recipes/index": join(compiled, "recipes/index.js"),
      "thread/connection-thread": join(compiled, "thread/connection-thread.js"),
    },
    platform: "node",
    external: /^node:/,
    treeshake: { moduleSideEffects: false },
  });
  await build.write({
    dir: packed,
    format: "esm",
    // The thread is looked for beside the chunk that starts it.
    chunkFileNames: ({ name }) => (name === "thread-connection" ? "thread/[name].js" : "chunks/[name].js"),
    // Names of classes stay: they are what inspected values and stack traces show.
    minify: { compress: true, mangle: { keepNames: { class: true, function: false } }, codegen: true },
  });
  await build.close();
}

/**
 * The declarations: what an entry exports, what that refers to, and so on, each in the file where it is
 * declared. Files that only pass names on, and whatever nobody refers to, the wire format's above all, stay
 * behind.
 */
function writeDeclarations(entries) {
  const needed = new Map();
  const texts = entries.map((entry) => [entry, entryText(entry, needed)]);
  for (const [file, names] of needed) texts.push([file, declarationText(file, names)]);
  for (const [file, text] of texts) {
    mkdirSync(dirname(join(packed, file)), { recursive: true });
    writeFileSync(join(packed, file), text);
  }
}

/** An entry consists of lists of what it exports. */
function entryText(entry, needed) {
  return statementsOf(entry)
    .map(({ text }) =>
      text.replace(/^export (type )?\{([^}]*)\} from "([^"]+)";/m, (_, type = "", names, from) => {
        const targets = namesOf(names).map(({ name, written }) => [need(name, resolved(entry, from), needed), written]);
        return grouped(entry, `export ${type}`, targets);
      }),
    )
    .join("");
}

/** Notes that a name is needed, with all that its declaration refers to. @returns the file that declares it */
function need(name, from, needed) {
  const file = declaring(name, from);
  if (file === undefined) throw new Error(`${from} has no ${name}, so the client cannot be packed`);
  const names = needed.get(file) ?? new Set();
  needed.set(file, names);
  if (names.has(name)) return file;
  names.add(name);
  const statements = statementsOf(file);
  const imports = importsOf(file, statements);
  for (const { declared, words, text } of statements) {
    if (declared !== name) continue;
    for (const [, from, inner] of text.matchAll(INLINE_IMPORT)) need(inner, resolved(file, from), needed);
    for (const word of words) {
      if (imports.has(word)) need(imports.get(word).name, imports.get(word).from, needed);
      else if (statements.some((other) => other.declared === word)) need(word, file, needed);
    }
  }
  return file;
}

function declarationText(file, names) {
  const statements = statementsOf(file);
  const kept = statements.filter(({ declared }) => names.has(declared));
  const words = new Set(kept.flatMap((statement) => [...statement.words]));
  const used = [...importsOf(file, statements)].filter(([word]) => words.has(word));
  const targets = used.map(([, { name, from, written }]) => [declaring(name, from), written]);
  const foreign = statements.filter(({ text }) => /^import .* from "node:/m.test(text));
  const inPlace = (text) =>
    text.replaceAll(
      INLINE_IMPORT,
      (_, from, name) => `import("${specifier(file, declaring(name, resolved(file, from)))}").${name}`,
    );
  return [
    ...foreign.map(({ text }) => text),
    grouped(file, "import type ", targets),
    ...kept.map(({ text }) => inPlace(text)),
  ]
    .filter((text) => text !== "")
    .map((text) => `${text.trimEnd()}\n`)
    .join("");
}

function grouped(file, verb, targets) {
  const byFile = new Map();
  for (const [target, written] of targets) byFile.set(target, [...(byFile.get(target) ?? []), written]);
  const lines = [...byFile].map(([target, list]) => {
    const names = verb.endsWith("type ") ? list.map((written) => written.replace(/^type /, "")) : list;
    return `${verb}{ ${names.join(", ")} } from "${specifier(file, target)}";`;
  });
  return lines.join("\n");
}

/** What a file imports from this workspace: the name by which it knows each thing, and where that comes from. */
function importsOf(file, statements) {
  const imports = new Map();
  for (const { text } of statements) {
    const [, names, from] = /^import (?:type )?\{([^}]*)\} from "((?:\.|@watchkeeper)[^"]*)";/m.exec(text) ?? [];
    if (names === undefined) continue;
    for (const { name, known, written } of namesOf(names))
      imports.set(known, { name, written, from: resolved(file, from) });
  }
  return imports;
}

/** A file's statements, each with its comment, as the compiler writes them: one after the other, from the first column. */
function statementsOf(file) {
  if (statements.has(file)) return statements.get(file);
  const found = [];
  let text = "";
  for (const line of withoutPrivates(textOf(file)).split("\n")) {
    if (line.startsWith("//# sourceMappingURL=")) continue;
    text += `${line}\n`;
    if (text.lastIndexOf("/*") > text.lastIndexOf("*/")) continue;
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"/g, "").trim();
    if (!isWhole(code)) continue;
    const [, declared] =
      /^(?:export |declare |abstract )*(?:const|class|function|interface|type) (\w+)/.exec(code) ?? [];
    let privates = 0;
    text = text.replaceAll("\t#private;\n", (mark) => (privates++ === 0 ? mark : ""));
    found.push({ text, declared, words: new Set(code.match(/\w+/g)) });
    text = "";
  }
  statements.set(file, found);
  return found;
}

/**
 * What is private becomes a mark, which keeps classes apart from others of the same shape, and so does a
 * constructor that is not for applications; neither brings the types of the inside along. Indented by tabs.
 */
function withoutPrivates(text) {
  return text
    .replaceAll(/(?: {4}\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)? {4}private (?!constructor)[^\n]*;\n/g, "    #private;\n")
    .replaceAll(
      /( {4}\/\*\* (?:Not for applications|Made by)[^*]*\*\/\n) {4}constructor\([^;]*\);\n/g,
      "$1    private constructor();\n",
    )
    .replaceAll(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
}

function isWhole(code) {
  const opened = code.match(/[{([]/g)?.length ?? 0;
  const closed = code.match(/[})\]]/g)?.length ?? 0;
  if (code === "" || opened !== closed) return false;
  return code.endsWith(";") || (code.endsWith("}") && /^(export |declare |abstract )*(class|interface) /.test(code));
}

function textOf(file) {
  const [folder, path] = file.startsWith("wire/") ? [wire, relative("wire", file)] : [compiled, file];
  return readFileSync(join(folder, path), "utf8");
}

/** Of `type a, b as c`: how each is called where it comes from, how here, and what stands there. */
function namesOf(list) {
  const written = list.split(",").map((text) => text.trim());
  return written
    .filter((text) => text !== "")
    .map((text) => {
      const [name, known = name] = text.replace(/^type /, "").split(" as ");
      return { name, known, written: text };
    });
}

/** The file that declares what `file` exports under this name. */
function declaring(name, file) {
  const found = statementsOf(file);
  if (found.some(({ declared }) => declared === name)) return file;
  for (const { text } of found) {
    const [, names, from] = /^export (?:type )?\{([^}]*)\} from "([^"]+)";/m.exec(text) ?? [];
    if (names !== undefined && namesOf(names).some((each) => each.name === name))
      return declaring(name, resolved(file, from));
  }
  for (const { text } of found) {
    const [, from] = /^export \* from "([^"]+)";/m.exec(text) ?? [];
    const elsewhere = from === undefined ? undefined : declaring(name, resolved(file, from));
    if (elsewhere !== undefined) return elsewhere;
  }
  return undefined;
}

function resolved(file, from) {
  if (from === "@watchkeeper/wire") return "wire/index.d.ts";
  return join(dirname(file), from).replace(/\.js$/, ".d.ts");
}

function specifier(file, target) {
  const path = relative(dirname(file), target).replace(/\.d\.ts$/, ".js");
  return path.startsWith(".") ? path : `./${path}`;
}
