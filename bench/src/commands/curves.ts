import type { Curve, CurvePoint } from "../curves/curve.js";
import { type CurveResult, curvePicture, curveRows } from "../curves/curve-result.js";
import { curves as allCurves } from "../curves/index.js";
import { writePage } from "../report/page.js";
import { resultFolder, writeResult } from "../report/results.js";
import { figure, textTable } from "../report/text-table.js";
import { WHAT_FIGURES_MEAN } from "../report/what-figures-mean.js";
import { environmentOf, versionOf } from "../servers/environment.js";
import { apache, isApacheInstalled, type ServerKind, watchkeeper } from "../servers/server-kind.js";
import { UsageError } from "../usage-error.js";
import { type Command, commandLine, numberOption, parseOptions, progress } from "./command.js";

const options = {
  max: { type: "string" },
  seconds: { type: "string" },
  warmup: { type: "string" },
  workers: { type: "string" },
  "with-apache": { type: "boolean" },
  quick: { type: "boolean" },
  out: { type: "string" },
} as const;

const CURVE_LINES = allCurves.map(
  ({ name, sizeLabel, sizes }) =>
    `  ${name.padEnd(10)} ${sizeLabel}: ${sizes.map((n) => n.toLocaleString("en-US")).join(", ")}`,
);

export const curves: Command = {
  help: `Figures of a server as one thing in it grows: curves [CURVE ...] [options]; all without a name.

${CURVE_LINES.join("\n")}

Writes NAME.json and NAME.svg for each, and the page that shows them.

  --max N         leave out sizes above N
  --seconds S     per load, after the warm-up (4)     --warmup S   before each load (2)
  --with-apache   Apache's server too, after Watchkeeper
  --workers N     load generator processes (1)
  --quick         sizes up to 10,000, one second per load, nothing written unless --out is given
  --out FOLDER    where results go (docs/bench)

${WHAT_FIGURES_MEAN}`,
  async run(args) {
    const { values, positionals } = parseOptions(args, options, true);
    const quick = values.quick === true;
    const plan: Plan = {
      max: numberOption("max", values.max ?? (quick ? "10000" : "1000000"), 1, 1e6),
      seconds: numberOption("seconds", values.seconds ?? (quick ? "1" : "4"), 0.1, 120),
      warmupSeconds: numberOption("warmup", values.warmup ?? (quick ? "0.5" : "2"), 0, 60),
      workers: numberOption("workers", values.workers ?? "1", 1, 16),
      kinds: kindsFor(values["with-apache"] === true),
    };
    const folder = resultFolder(values.out, quick);
    for (const curve of chosen(positionals)) {
      const result = await measure(curve, plan, commandLine("curves", args));
      process.stdout.write(`${curve.title}\n${textTable(curveRows(curve, result))}\n\n`);
      if (folder !== undefined) writeResult(folder, curve.name, result, curvePicture(curve, result));
    }
    if (folder !== undefined) writePage(folder);
  },
};

interface Plan {
  readonly max: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly workers: number;
  readonly kinds: readonly ServerKind[];
}

function kindsFor(withApache: boolean): ServerKind[] {
  if (!withApache) return [watchkeeper];
  if (!isApacheInstalled())
    throw new Error("Apache's server is not here: install Debian's package zookeeper, or leave out --with-apache");
  return [watchkeeper, apache];
}

function chosen(names: readonly string[]): readonly Curve[] {
  for (const name of names) {
    if (allCurves.some((curve) => curve.name === name)) continue;
    throw new UsageError(`no curve ${name}: expected ${allCurves.map((curve) => curve.name).join(", ")}`);
  }
  return names.length === 0 ? allCurves : allCurves.filter((curve) => names.includes(curve.name));
}

async function measure(curve: Curve, plan: Plan, command: string): Promise<CurveResult> {
  const points: (CurvePoint & { server: string })[] = [];
  const versions: Record<string, string> = {};
  for (const kind of plan.kinds) {
    const run = {
      ...plan,
      kind,
      sizes: curve.sizes.filter((size) => size <= plan.max),
      onServer: async ({ target }: { target: Parameters<typeof versionOf>[0] }) => {
        versions[kind.name] = await versionOf(target);
      },
    };
    progress(`${curve.name}: ${kind.name}, up to ${Math.max(...run.sizes).toLocaleString("en-US")} ${curve.sizeLabel}`);
    for await (const point of curve.measure(run)) {
      points.push({ server: kind.name, ...point });
      progress(`  ${describePoint(point)}`);
    }
  }
  return { command, environment: environmentOf(versions), curve: curve.name, secondsPerLoad: plan.seconds, points };
}

function describePoint({ size, values }: CurvePoint): string {
  return [
    size.toLocaleString("en-US").padStart(9),
    ...Object.entries(values).map(([key, value]) => `${key} ${figure(value)}`),
  ].join("  ");
}
