import { basename } from "node:path";
import { Command } from "commander";
import { nodeCompression } from "../host/node-compression.js";
import { DiskError } from "../ports/index.js";
import { type CheckedSnapshot, checkSnapshot, type SnapshotDigest } from "../service/snapshot-check.js";
import { DataDirectoryError, formatZxid } from "../storage/index.js";
import { addFileOptions, type FileOptions, type FileTool, withFiles } from "./file-tool.js";
import { countText } from "./short-text.js";
import { snapshotsNamedBy } from "./storage-arguments.js";
import { zxidOrNull } from "./zxid-text.js";

export function snapshotCheckCommand(): Command {
  const command = new Command("check")
    .summary("check snapshot files for damage")
    .description("Check snapshot files: whether a server could start from each of them.")
    .argument("<file|directory...>", "snapshot files, or a server's data directory")
    .addHelpText(
      "after",
      `
A file is whole where every seal has the checksum of what is before it, every node comes behind its
parent, and the nodes have the digest that the server gave its tree. The digest of a snapshot during
which the tree changed is that of a later tree, and can be compared only when the logs are replayed.
The exit code is 0 where all files are whole, else 1.

Examples:
  $ watchkeeper snapshot check /var/lib/zookeeper
  $ watchkeeper snapshot check backup/snapshot.2f.gz --json`,
    );
  return addFileOptions(command).action((args: string[], options: FileOptions) =>
    withFiles(options, async (tool) => {
      for (const argument of args) {
        const named = await snapshotsNamedBy(tool, argument);
        const paths = named.kind === "file" ? [named.path] : named.paths;
        const pathWidth = Math.max(0, ...paths.map((path) => path.length));
        for (const path of paths) tell(tool, await check(tool, path), pathWidth);
        if (paths.length === 0 && !tool.json) tool.printer.line(`${argument}: no snapshots`);
      }
    }),
  );
}

type Outcome = { readonly path: string } & (
  | { readonly verdict: "whole" | "differs"; readonly checked: CheckedSnapshot }
  | { readonly verdict: "damaged" | "unreadable"; readonly offset: number | undefined; readonly reason: string }
);

async function check({ disk, limits }: FileTool, path: string): Promise<Outcome> {
  try {
    const checked = await checkSnapshot(disk, path, basename(path), nodeCompression, limits);
    return { path, verdict: checked.digest === "differs" ? "differs" : "whole", checked };
  } catch (error) {
    if (error instanceof DiskError) return { path, verdict: "unreadable", offset: undefined, reason: error.message };
    if (!(error instanceof DataDirectoryError)) throw error;
    return { path, verdict: "damaged", offset: error.offset, reason: error.message };
  }
}

function tell({ printer, json }: FileTool, outcome: Outcome, pathWidth: number): void {
  const { path, verdict } = outcome;
  if (verdict !== "whole") printer.failed = true;
  if (json) {
    const fields = "checked" in outcome ? checkedFields(outcome.checked) : reasonFields(outcome);
    printer.json({ file: path, verdict, ...fields });
    return;
  }
  const text = "checked" in outcome ? checkedText(outcome.checked) : "";
  printer.line(`${path.padEnd(pathWidth)}  ${verdict.padEnd(7)}  ${text}`.trimEnd());
  if ("reason" in outcome) printer.line(`  ${outcome.reason}`);
  if (verdict === "differs") printer.line(`  ${DIFFERS_ADVICE}`);
}

const DIFFERS_ADVICE =
  "Every byte is as it was written, yet the nodes are not those that the server had: compare with another server of the ensemble, or with a backup";

function reasonFields({ offset, reason }: { readonly offset: number | undefined; readonly reason: string }): object {
  return { offset: offset ?? null, reason };
}

function checkedFields({ nodeCount, sessionCount, digestZxid, lastProcessedZxid, digest }: CheckedSnapshot): object {
  return {
    nodes: nodeCount,
    sessions: sessionCount,
    digest,
    digestZxid: zxidOrNull(digestZxid),
    lastProcessedZxid: zxidOrNull(lastProcessedZxid),
  };
}

function checkedText({ nodeCount, sessionCount, digestZxid, digest }: CheckedSnapshot): string {
  const zxid = formatZxid(digestZxid ?? 0);
  const digestTexts: Readonly<Record<SnapshotDigest, string>> = {
    matches: `digest matches that of ${zxid}`,
    later: `digest is that of ${zxid}, which the logs lead to`,
    differs: `digest differs from that of ${zxid}`,
    none: "no digest",
  };
  return `${countText(nodeCount, "node")}, ${countText(sessionCount, "session")}, ${digestTexts[digest]}`;
}
