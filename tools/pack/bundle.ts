import { join } from "node:path";
import { rolldown } from "rolldown";
import { compiled, packed } from "./folders.js";

/** What only some programs load: an entry of its own, or on demand. */
const APART = ["recipes/", "compat/", "thread/", "transport/tls.js"].map((path) => join(compiled, path));

/** What the wire format's table of operations says to readers of documents alone. */
const REMARKS = /\b(?:since|remark): "(?:[^"\\]|\\.)*",?/g;

/** What servers alone look at: records read in place, their sizes, what comes next in a chunk. */
const OF_SERVERS =
  /^( +)(?:get )?(?:scan|size|peek|hasUnhandled|keepUnhandled)\(.*\{\n(?:.*\n)*?\1\},?\n|^ +(?:scan|size|slotCount): .*,\n/gm;

/**
 * Entries keep their places, and what is loaded only on demand (TLS, the connection's thread) stays apart. All
 * the rest is one file: each further one would cost whoever imports the client a millisecond.
 */
export async function bundle(): Promise<void> {
  const build = await rolldown({
    input: {
      index: join(compiled, "index.js"),
      "compat/index": join(compiled, "compat/index.js"),
      "recipes/index": join(compiled, "recipes/index.js"),
      "thread/connection-thread": join(compiled, "thread/connection-thread.js"),
    },
    platform: "node",
    external: /^node:/,
    treeshake: { moduleSideEffects: false, manualPureFunctions: ["record", "vector", "present"] },
    plugins: [
      {
        name: "without-remarks",
        transform: {
          filter: { id: /\/wire\/dist\/operations\.js$/ },
          handler: (code) => code.replaceAll(REMARKS, ""),
        },
      },
      {
        name: "without-servers-part",
        transform: {
          filter: { id: /\/wire\/dist\/(?:records\/kit|bytes\/frame-splitter)\.js$/ },
          handler: (code) => code.replaceAll(OF_SERVERS, ""),
        },
      },
    ],
  });
  await build.write({
    dir: packed,
    format: "esm",
    codeSplitting: {
      groups: [{ name: "client", test: (file) => APART.every((path) => !file.startsWith(path)) }],
    },
    // The thread is looked for beside the chunk that starts it.
    chunkFileNames: ({ name }) => (name === "thread-connection" ? "thread/[name].js" : "chunks/[name].js"),
    // Names of classes stay: they are what inspected values and stack traces show.
    minify: { compress: true, mangle: { keepNames: { class: true, function: false } }, codegen: true },
  });
  await build.close();
}
