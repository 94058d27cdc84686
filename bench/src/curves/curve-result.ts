import { linePanels } from "../picture/line-panels.js";
import type { ResultHead } from "../report/results.js";
import { figure } from "../report/text-table.js";
import { describeEnvironment } from "../servers/environment.js";
import type { Curve, CurvePanel, CurvePoint } from "./curve.js";

export interface CurveResult extends ResultHead {
  readonly curve: string;
  readonly secondsPerLoad: number;
  readonly points: readonly (CurvePoint & { readonly server: string })[];
  /** Why a server's curve ends before the others', by its name. */
  readonly stopped: Readonly<Record<string, string>>;
}

export function curveRows(curve: Curve, result: CurveResult): string[][] {
  const columns = curve.panels.flatMap((panel) => panel.measures.map((measure) => ({ panel, measure })));
  const head = [curve.sizeLabel, "server", ...columns.map(({ panel, measure }) => columnTitle(panel, measure.label))];
  const lines = result.points.map(({ size, server, values }) => [
    size.toLocaleString("en-US"),
    server,
    ...columns.map(({ measure }) => figure(values[measure.key])),
  ]);
  return [head, ...lines];
}

function columnTitle(panel: CurvePanel, label: string): string {
  return panel.measures.length === 1 ? `${panel.title}, ${panel.unit}` : `${panel.title}: ${label}, ${panel.unit}`;
}

const LINE_KINDS = ["solid", "broken"];

export function curvePicture(curve: Curve, result: CurveResult): string {
  const servers = [...new Set(result.points.map((point) => point.server))];
  return linePanels({
    title: curve.title,
    lineKey: servers.map((server, i) => `${server} ${LINE_KINDS[i]}`).join(", "),
    xLabel: curve.sizeLabel,
    caption: describeEnvironment(result.environment),
    panels: curve.panels.map((panel) => ({
      title: `${panel.title}, ${panel.unit}`,
      logarithmic: panel.logarithmic ?? false,
      lines: servers.flatMap((server, i) =>
        panel.measures.map(({ key, label }, colour) => ({
          label,
          colour,
          dashed: i > 0,
          points: pointsOf(result, server, key),
        })),
      ),
    })),
  });
}

function pointsOf(result: CurveResult, server: string, key: string): [number, number][] {
  return result.points.flatMap((point) => {
    const value = point.values[key];
    return point.server === server && value !== undefined ? [[point.size, value] as [number, number]] : [];
  });
}
