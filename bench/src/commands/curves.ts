import type { Curve, CurvePoint } from "../curves/curve.js";
import { type CurveResult, curvePicture, curveRows } from "../curves/curve-result.js";
import { curves as allCurves } from "../curves/index.js";
import { writePage } from "../report/page.js";
import { resultFolder, writeResult } from "../report/results.js";
import { figure, textTable } from "../report/text-table.js";
import { WHAT_FIGURES_MEAN } from "../report/what-figures-mean.js";
import { environmentOf, versionOf } from "../servers/environment.js";
import { apache, isApacheInstalled, type ServerKind, watchkeeper } from "../servers/server-kind.js";
import { ServerHome } from "../servers/server-process.js";
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

  --max N         leave out sizes above N (1000000)
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
      max: numberOption("max", values.max ?? (quick ? "10000" : "1000000"), 10, 1e6),
      seconds: numberOption("seconds", values.seconds ?? (quick ? "1" : "4"), 0.1, 120),
      warmupSeconds: numberOption("warmup", values.warmup ?? (quick ? "0.5" : "2"), 0, 60),
      workers: numberOption("workers", values.workers ?? "1", 1, 16),
      kinds: kindsFor(values["with-apache"] === true),
    };
    const folder = resultFolder(values.out, quick);
    const stopped: string[] = [];
    for (const curve of chosen(positionals)) {
      if (curve.sizes.every((size) => size > plan.max)) continue;
      const result = await measure(curve, plan, commandLine("curves", args));
      process.stdout.write(`${curve.title}\n${textTable(curveRows(curve, result))}\n\n`);
      for (const [server, why] of Object.entries(result.stopped)) stopped.push(`${curve.name}, ${server}: ${why}`);
      if (folder !== undefined && result.points.length > 0)
        writeResult(folder, curve.name, result, curvePicture(curve, result));
    }
    if (folder !== undefined) writePage(folder);
    if (stopped.length > 0) throw new Error(`not all could be measured:\n  ${stopped.join("\n  ")}`);
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
  const stopped: Record<string, string> = {};
  const run = { ...plan, sizes: curve.sizes.filter((size) => size <= plan.max) };
  for (const kind of plan.kinds) {
    progress(`${curve.name}: ${kind.name}, up to ${Math.max(...run.sizes).toLocaleString("en-US")} ${curve.sizeLabel}`);
    const home = await ServerHome.start(kind);
    try {
      versions[kind.name] = await versionOf(home.target);
      for await (const point of curve.measure(home, run)) {
        points.push({ server: kind.name, ...point });
        progress(`  ${describePoint(point)}`);
      }
    } catch (error) {
      // The other figures are worth having; the command fails at its end all the same.
      stopped[kind.name] = (error as Error).message;
      progress(`  stopped: ${stopped[kind.name]}`);
    }
    await home.remove();
  }
  const environment = environmentOf(versions);
  return { command, environment, curve: curve.name, secondsPerLoad: plan.seconds, points, stopped };
}

function describePoint({ size, values }: CurvePoint): string {
  return [
    size.toLocaleString("en-US").padStart(9),
    ...Object.entries(values).map(([key, value]) => `${key} ${figure(value)}`),
  ].join("  ");
}
