import { Command, InvalidArgumentError } from "commander";
import { nodeCompression } from "../host/node-compression.js";
import { nodeOwner, nodePath, nodeStat, SnapshotAcls } from "../service/snapshot-node.js";
import { formatZxid, printSnapshot, type SnapshotRead, type SnapshotSink } from "../storage/index.js";
import { CliError } from "./cli-error.js";
import { addFileOptions, type FileOptions, type FileTool, withFiles } from "./file-tool.js";
import { countText } from "./short-text.js";
import { digestText, nodeFields, nodeText, sessionText } from "./snapshot-node-text.js";
import { zxidOrNull } from "./zxid-text.js";

interface SnapshotPrintOptions extends FileOptions {
  readonly path?: string;
}

export function snapshotPrintCommand(): Command {
  const command = new Command("print")
    .summary("print what a snapshot file holds")
    .description(
      "Print the sessions and nodes of a snapshot file, in the order of the file. It may be packed (.gz, .snappy).",
    )
    .argument("<file>", "a snapshot file")
    .option("--path <path>", "print this node and those below it, no sessions", parsePath)
    .addHelpText(
      "after",
      `
childrenCreated counts the children that were ever created; a server shows clients
cversion = 2 * childrenCreated - children. Long data is shortened, and shown in base64 where it is not
UTF-8 text; --json gives all of it. A snapshot is taken while the server goes on: it may hold changes
of txns behind the one that it is named for, and the logs make it whole.

Examples:
  $ watchkeeper snapshot print /var/lib/zookeeper/version-2/snapshot.2f
  $ watchkeeper snapshot print snapshot.2f.gz --path /services --json | jq -r .path`,
    );
  return addFileOptions(command).action((file: string, options: SnapshotPrintOptions) =>
    withFiles(options, async (tool) => {
      const sink = new PrintingSink(tool, options.path);
      const read = await printSnapshot(tool.disk, file, nodeCompression, sink, tool.limits);
      if (options.path === undefined) tellEnd(tool, file, read, sink.digestGiven);
      else if (!sink.found) throw new CliError("noNode", `${file}: no node ${options.path} in it`);
    }),
  );
}

function parsePath(text: string): string {
  if (!/^\/$|^(\/[^/]+)+$/.test(text)) throw new InvalidArgumentError("a path expected, such as /services.");
  return text;
}

class PrintingSink implements SnapshotSink {
  found = false;
  digestGiven: string | null = null;
  private readonly tool: FileTool;
  private readonly path: string | undefined;
  private readonly pathBelow: string;
  private readonly acls = new SnapshotAcls();

  constructor(tool: FileTool, path: string | undefined) {
    this.tool = tool;
    this.path = path;
    this.pathBelow = path === "/" || path === undefined ? "/" : `${path}/`;
  }

  session({ idHigh, idLow, timeoutMs }: Parameters<SnapshotSink["session"]>[0]): void {
    if (this.path !== undefined) return;
    const session = sessionText(idHigh, idLow);
    if (this.tool.json) this.tool.printer.json({ kind: "session", session, timeoutMs });
    else this.tool.printer.line(`session ${session}  timeout=${timeoutMs}ms`);
  }

  acl(aclId: number, bytes: Uint8Array, start: number, end: number): void {
    this.acls.read(aclId, bytes, start, end);
  }

  node(
    ...[bytes, pathStart, pathLength, dataStart, dataLength, aclId, statStart]: Parameters<SnapshotSink["node"]>
  ): boolean {
    const path = nodePath(bytes, pathStart, pathLength);
    if (this.path !== undefined && path !== this.path && !path.startsWith(this.pathBelow)) return true;
    this.found = true;
    const data = dataLength < 0 ? null : bytes.subarray(dataStart, dataStart + dataLength);
    const node = {
      path,
      data,
      acl: this.acls.of(aclId),
      stat: nodeStat(bytes, statStart),
      owner: nodeOwner(bytes, statStart),
    };
    if (this.tool.json) this.tool.printer.json({ kind: "node", ...nodeFields(node) });
    else this.tool.printer.line(nodeText(node));
    return true;
  }

  digest(_zxid: number, digestHigh: number, digestLow: number): void {
    this.digestGiven = digestText(digestHigh, digestLow);
  }
}

/** The last line: who has seen it has seen the whole file, with all its seals right. */
function tellEnd({ printer, json }: FileTool, file: string, read: SnapshotRead, digest: string | null): void {
  const { nodeCount, sessionCount, digestZxid, lastProcessedZxid } = read;
  if (json) {
    const zxids = { digestZxid: zxidOrNull(digestZxid), lastProcessedZxid: zxidOrNull(lastProcessedZxid) };
    printer.json({ kind: "end", file, nodes: nodeCount, sessions: sessionCount, digest, ...zxids });
    return;
  }
  const ofDigest = digestZxid === undefined ? "no digest" : `digest ${digest} of zxid ${formatZxid(digestZxid)}`;
  const last = lastProcessedZxid === undefined ? "" : `, last zxid ${formatZxid(lastProcessedZxid)}`;
  printer.line(`end: ${countText(nodeCount, "node")}, ${countText(sessionCount, "session")}, ${ofDigest}${last}`);
}
