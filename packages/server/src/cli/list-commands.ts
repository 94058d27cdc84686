import type { Client, Stat } from "@watchkeeper/client";
import { Command, InvalidArgumentError } from "commander";
import { addClientOptions, type ClientOptions, withClient } from "./client-session.js";
import { hex, printable, printJson, printLine, statFields } from "./output.js";
import { childPath, readSubtree, type SubtreeNode, walk } from "./subtree.js";

interface LsOptions extends ClientOptions {
  readonly recursive?: true;
  readonly stat?: true;
}

export function lsCommand(): Command {
  const command = new Command("ls")
    .summary("list the children of a node")
    .description("List the names of a node's children, sorted, one a line.")
    .argument("[path]", "the node", "/")
    .option("-R, --recursive", "print the path itself and every path below it")
    .option("-l, --stat", "also print version, bytes, children and owner")
    .addHelpText(
      "after",
      `
Examples:
  $ watchkeeper ls /
  $ watchkeeper ls -l /services
  $ watchkeeper ls -R /services --json | jq -r '.[]'`,
    );
  return addClientOptions(command).action((path: string, options: LsOptions) =>
    withClient(options, async (client) => {
      const paths = options.recursive === true ? await pathsBelow(client, path) : await childPaths(client, path);
      if (options.stat === true) await printStats(client, paths, options);
      else if (options.json === true) printJson(paths.map(({ path: listed }) => listed));
      else for (const { label } of paths) printLine(printable(label));
    }),
  );
}

interface Listed {
  readonly path: string;
  /** What the list shows: the name, or the whole path in a recursive one. */
  readonly label: string;
}

async function childPaths(client: Client, path: string): Promise<Listed[]> {
  const names = await client.getChildren(path);
  return names.sort().map((name) => ({ path: childPath(path, name), label: name }));
}

async function pathsBelow(client: Client, path: string): Promise<Listed[]> {
  const root = await readSubtree(client, path, Number.POSITIVE_INFINITY);
  return [...walk(root)].map((node) => ({ path: node.path, label: node.path }));
}

async function printStats(client: Client, listed: readonly Listed[], options: LsOptions): Promise<void> {
  const stats = await Promise.all(listed.map(({ path }) => client.exists(path)));
  const present = listed.flatMap((each, index) => {
    const stat = stats[index];
    return stat == null ? [] : [{ ...each, stat }];
  });
  if (options.json === true) {
    printJson(present.map(({ path, stat }) => ({ path, ...statFields(stat) })));
    return;
  }
  printLine(`${"VERSION".padStart(8)} ${"BYTES".padStart(8)} ${"CHILDREN".padStart(8)}  ${"CHANGED".padEnd(24)}  NAME`);
  for (const { label, stat } of present) printLine(statRow(label, stat));
}

function statRow(label: string, stat: Stat): string {
  const numbers = [stat.version, stat.dataLength, stat.numChildren].map((value) => String(value).padStart(8)).join(" ");
  const owner = stat.ephemeralOwner === 0n ? "" : `  (ephemeral, session ${hex(stat.ephemeralOwner)})`;
  return `${numbers}  ${statFields(stat).mtime}  ${printable(label)}${owner}`;
}

interface TreeOptions extends ClientOptions {
  readonly depth?: number;
}

export function treeCommand(): Command {
  const command = new Command("tree")
    .summary("draw the nodes below a path")
    .description("Draw the nodes below a path. A number in brackets counts children that are not drawn.")
    .argument("[path]", "where to begin", "/")
    .option("-d, --depth <levels>", "how many levels to draw", parseDepth)
    .addHelpText(
      "after",
      `
Examples:
  $ watchkeeper tree /services
  $ watchkeeper tree / --depth 2`,
    );
  return addClientOptions(command).action((path: string, options: TreeOptions) =>
    withClient(options, async (client) => {
      const root = await readSubtree(client, path, options.depth ?? Number.POSITIVE_INFINITY);
      if (options.json === true) {
        printJson(jsonTree(root));
        return;
      }
      printLine(label(root));
      drawChildren(root, "");
      const count = [...walk(root)].length;
      printLine(`\n${count} ${count === 1 ? "node" : "nodes"}`);
    }),
  );
}

function parseDepth(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number from 0 on expected.");
  return Number(text);
}

function label(node: SubtreeNode): string {
  const hidden = node.childCount - node.children.length;
  const note = node.refused ? " (not permitted)" : hidden > 0 ? ` (${hidden})` : "";
  return `${printable(node.name)}${note}`;
}

function drawChildren(node: SubtreeNode, indent: string): void {
  for (const [index, child] of node.children.entries()) {
    const last = index === node.children.length - 1;
    printLine(`${indent}${last ? "└── " : "├── "}${label(child)}`);
    drawChildren(child, `${indent}${last ? "    " : "│   "}`);
  }
}

interface JsonTree {
  readonly path: string;
  readonly numChildren: number;
  readonly children: JsonTree[];
}

function jsonTree(node: SubtreeNode): JsonTree {
  return { path: node.path, numChildren: node.childCount, children: node.children.map(jsonTree) };
}
