import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ClientsResult, clientRows } from "../clients/client-result.js";
import {
  type Comparison,
  comparisonPicture,
  comparisonRows,
  describeRounds,
  startupLines,
} from "../compare/comparison.js";
import type { Curve } from "../curves/curve.js";
import { type CurveResult, curveRows } from "../curves/curve-result.js";
import { curves } from "../curves/index.js";
import { type LimitsResult, limitRows } from "../limits/limits-result.js";
import { describeEnvironment } from "../servers/environment.js";
import { type StallResult, stallRows } from "../stall/stall-result.js";
import { type ResultHead, readResult } from "./results.js";
import { markdownTable } from "./text-table.js";
import { WHAT_FIGURES_MEAN } from "./what-figures-mean.js";

/** Writes the page that shows every result its folder holds; a measurement that was never made is left out. */
export function writePage(folder: string): void {
  const comparison = readResult<Comparison>(folder, "compare");
  const stall = readResult<StallResult>(folder, "snapshot-stall");
  const clients = readResult<ClientsResult>(folder, "clients");
  const limits = readResult<LimitsResult>(folder, "client-limits");
  const sections = [
    HEAD,
    ...(comparison === undefined ? [] : [comparisonSection(comparison)]),
    ...curves.flatMap((curve) => {
      const result = readResult<CurveResult>(folder, curve.name);
      return result === undefined ? [] : [curveSection(curve, result)];
    }),
    ...(stall === undefined ? [] : [stallSection(stall)]),
    ...(clients === undefined ? [] : [clientsSection(clients)]),
    ...(limits === undefined ? [] : [limitsSection(limits)]),
  ];
  writeFileSync(join(folder, "README.md"), sections.join("\n"));
}

const HEAD = `# Measurements

Written by \`npm run bench\` from the JSON files beside this page; do not edit it. Every section says which
command gives its figures again and where they were measured.

${WHAT_FIGURES_MEAN}
`;

function source({ command, environment }: ResultHead): string {
  return `\`${command}\`, ${describeEnvironment(environment)}.`;
}

function comparisonSection(comparison: Comparison): string {
  const picture =
    comparisonPicture(comparison) === undefined
      ? ""
      : "![Ratios of Watchkeeper's figures to Apache's](compare.svg)\n\n";
  return `## Side by side

${picture}${source(comparison)} Figures are ${describeRounds(comparison)}, ${comparison.secondsPerLoad} s per load, fsync on; a
ratio above 1 is better. \`-c\` is the number of connections, \`-p\` of requests in flight on each, \`-k\` of keys.
Resident memory is what the process holds at the end of the load, with what earlier loads left behind.

${markdownTable(comparisonRows(comparison))}

${startupLines(comparison)
  .map((line) => `- ${line}`)
  .join("\n")}
`;
}

function curveSection(curve: Curve, result: CurveResult): string {
  return `## ${curve.title}

![${curve.title}: figures over ${curve.sizeLabel}](${curve.name}.svg)

${source(result)} ${result.secondsPerLoad} s per load. ${curve.method}

${[markdownTable(curveRows(curve, result)), ...stoppedLines(result)].join("\n\n")}
`;
}

function stoppedLines({ stopped }: CurveResult): string[] {
  return Object.entries(stopped).map(([server, why]) => `${server} could not be measured further: ${why}.`);
}

function stallSection(stall: StallResult): string {
  return `## While a snapshot is written

${source(stall)} The longest time the server's event loop was blocked, ${stall.znodes.toLocaleString("en-US")} znodes of 100 bytes in
the tree, the load being \`${stall.load}\`; measured inside the process with \`perf_hooks\` at a resolution of 1 ms. Time in
which the system gave the core to another process counts too, so the phases without a snapshot are the ground to compare with.

${markdownTable(stallRows(stall))}
`;
}

function clientsSection(result: ClientsResult): string {
  const versions = Object.entries(result.clients).map(([name, version]) => `${name} ${version}`);
  return `## The client beside others

${source(result)} ${versions.join(", ")}. Each client is a process of its own with one
connection to the same server; all take their turn at a load before the next one begins. Medians of ${result.rounds} rounds of
${result.secondsPerLoad} s. Gets and sets of 100 bytes in a closed loop: so many requests are in flight at any time.
With one in flight client and server take turns: on two cores that is mostly what it costs to wake a sleeping one, the same
for all clients; on one core it is what they do. Where the server is the limit, as with sets, the clients come closer to
each other than they are: servers beside Watchkeeper were given by \`--server-command\`, and one that answers without
doing anything shows the clients alone.

Calls per second, and the ratio to the fastest of the other clients:

${markdownTable(clientRows(result, "callsPerSecond"))}

CPU time of the client's process per call in microseconds, all its threads, and the ratio to the thriftiest of
the others:

${markdownTable(clientRows(result, "cpuUsPerCall"))}
`;
}

function limitsSection(result: LimitsResult): string {
  return `## What the client costs beside its calls

${source(result)}

${markdownTable(limitRows(result))}
`;
}
