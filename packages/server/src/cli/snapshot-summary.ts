import { Command } from "commander";
import { nodeCompression } from "../host/node-compression.js";
import { nodeOwner, nodePath } from "../service/snapshot-node.js";
import { IGNORE_CONTENT, printSnapshot, type SnapshotSink } from "../storage/index.js";
import { addFileOptions, type FileOptions, type FileTool, withFiles } from "./file-tool.js";
import { printable } from "./output.js";

export function snapshotSummaryCommand(): Command {
  const command = new Command("summary")
    .summary("count the nodes and bytes of a snapshot file by subtree")
    .description("Count nodes, bytes of data and ephemeral nodes for each child of the root, the largest first.")
    .argument("<file>", "a snapshot file")
    .addHelpText(
      "after",
      `
Examples:
  $ watchkeeper snapshot summary /var/lib/zookeeper/version-2/snapshot.2f
  $ watchkeeper snapshot summary snapshot.2f.gz --json | jq -r 'select(.nodes > 10000) | .path'`,
    );
  return addFileOptions(command).action((file: string, options: FileOptions) =>
    withFiles(options, async (tool) => {
      const sums = new SubtreeSums();
      await printSnapshot(tool.disk, file, nodeCompression, { ...IGNORE_CONTENT, node: sums.node }, tool.limits);
      tell(tool, sums);
    }),
  );
}

interface Sum {
  readonly path: string;
  nodes: number;
  dataBytes: number;
  ephemerals: number;
}

class SubtreeSums {
  readonly total: Sum = { path: "/", nodes: 0, dataBytes: 0, ephemerals: 0 };
  private readonly byPath = new Map<string, Sum>();
  private latest: Sum | undefined;

  readonly node: SnapshotSink["node"] = (bytes, pathStart, pathLength, _dataStart, dataLength, _aclId, statStart) => {
    add(this.total, bytes, dataLength, statStart);
    if (pathLength > 0) add(this.subtreeOf(nodePath(bytes, pathStart, pathLength)), bytes, dataLength, statStart);
    return true;
  };

  largestFirst(): Sum[] {
    return [...this.byPath.values()].sort(
      (a, b) => b.dataBytes - a.dataBytes || b.nodes - a.nodes || (a.path < b.path ? -1 : 1),
    );
  }

  private subtreeOf(path: string): Sum {
    const slash = path.indexOf("/", 1);
    const top = slash < 0 ? path : path.slice(0, slash);
    if (this.latest?.path === top) return this.latest;
    const sum = this.byPath.get(top) ?? { path: top, nodes: 0, dataBytes: 0, ephemerals: 0 };
    this.byPath.set(top, sum);
    this.latest = sum;
    return sum;
  }
}

function add(sum: Sum, bytes: Uint8Array, dataLength: number, statStart: number): void {
  sum.nodes += 1;
  sum.dataBytes += Math.max(0, dataLength);
  if (nodeOwner(bytes, statStart).kind === "ephemeral") sum.ephemerals += 1;
}

function tell({ printer, json }: FileTool, sums: SubtreeSums): void {
  if (json) {
    for (const sum of [...sums.largestFirst(), sums.total]) printer.json(sum);
    return;
  }
  printer.line(row("NODES", "DATA BYTES", "EPHEMERALS", "PATH"));
  for (const sum of sums.largestFirst()) printer.line(sumRow(sum, sum.path));
  printer.line(sumRow(sums.total, "in all, with the root"));
}

function sumRow({ nodes, dataBytes, ephemerals }: Sum, path: string): string {
  return row(String(nodes), String(dataBytes), String(ephemerals), printable(path));
}

function row(nodes: string, dataBytes: string, ephemerals: string, path: string): string {
  return `${nodes.padStart(10)}  ${dataBytes.padStart(14)}  ${ephemerals.padStart(10)}  ${path}`;
}
