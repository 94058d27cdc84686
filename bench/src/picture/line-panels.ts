import { stepOf } from "./ratio-bars.js";
import { type Attributes, element, SERIES_COLOURS, svgDocument, text } from "./svg.js";

export interface Line {
  readonly label: string;
  readonly colour: number;
  /** Hollow points and a broken line: the server compared with. */
  readonly dashed: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
  /** For values that grow with x; else the axis begins at 0, so that flat looks flat. */
  readonly logarithmic: boolean;
}

/** Small charts side by side over one logarithmic x: each with a measure of its own. */
export interface LinePanels {
  readonly title: string;
  readonly xLabel: string;
  /** Who the solid and the broken lines are. */
  readonly lineKey: string;
  readonly caption: string;
  readonly panels: readonly Panel[];
}

const PANEL_WIDTH = 400;
const PANEL_HEIGHT = 270;
const HEAD = 60;
const MARGIN = { left: 62, right: 22, top: 56, bottom: 44 };

export function linePanels(chart: LinePanels): string {
  const columns = Math.min(2, chart.panels.length);
  const rows = Math.ceil(chart.panels.length / columns);
  const width = Math.max(columns * PANEL_WIDTH, 640);
  const height = HEAD + rows * PANEL_HEIGHT + 30;
  return svgDocument({
    title: chart.title,
    description: `Over ${chart.xLabel}: ${chart.panels.map((panel) => panel.title).join("; ")}. The numbers stand in the page beside this picture.`,
    width,
    height,
    body: [
      text(16, 28, chart.title, { class: "title" }),
      text(16, 48, `over ${chart.xLabel} (logarithmic); ${chart.lineKey}`, { class: "faint" }),
      ...chart.panels.map((panel, i) =>
        element(
          "g",
          {
            transform: `translate(${(i % columns) * PANEL_WIDTH} ${HEAD + Math.floor(i / columns) * PANEL_HEIGHT})`,
          },
          ...drawPanel(panel),
        ),
      ),
      text(16, height - 14, chart.caption, { class: "faint" }),
    ],
  });
}

interface Axis {
  readonly ticks: readonly number[];
  at(value: number): number;
}

function drawPanel(panel: Panel): string[] {
  const points = panel.lines.flatMap((line) => line.points);
  if (points.length === 0) return [text(MARGIN.left, MARGIN.top, `${panel.title}: not measured`, { class: "faint" })];
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const x = logAxis(xs, MARGIN.left, PANEL_WIDTH - MARGIN.right);
  const bottom = PANEL_HEIGHT - MARGIN.bottom;
  const y = panel.logarithmic ? logAxis(ys, bottom, MARGIN.top) : linearAxis(ys, bottom, MARGIN.top);
  return [
    text(MARGIN.left, 20, panel.title, { class: "panel" }),
    ...legend(panel.lines.filter((line) => !line.dashed)),
    ...y.ticks.flatMap((tick) => [
      element("line", {
        class: "grid",
        x1: MARGIN.left,
        x2: PANEL_WIDTH - MARGIN.right,
        y1: y.at(tick),
        y2: y.at(tick),
      }),
      text(MARGIN.left - 6, y.at(tick) + 4, shortNumber(tick), { class: "faint", "text-anchor": "end" }),
    ]),
    ...x.ticks.map((tick) =>
      text(x.at(tick), bottom + 18, shortNumber(tick), { class: "faint", "text-anchor": "middle" }),
    ),
    ...panel.lines.flatMap((line) => drawLine(line, x, y)),
  ];
}

function legend(lines: readonly Line[]): string[] {
  const spacing = (PANEL_WIDTH - MARGIN.left - MARGIN.right) / Math.max(2, lines.length);
  return lines.flatMap((line, i) => {
    const at = MARGIN.left + i * spacing;
    return [element("line", { ...strokeOf(line), x1: at, x2: at + 18, y1: 36, y2: 36 }), text(at + 23, 40, line.label)];
  });
}

function drawLine(line: Line, x: Axis, y: Axis): string[] {
  const points = line.points.map(([px, py]) => [x.at(px), y.at(py)] as const);
  const path = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  const colour = line.colour % SERIES_COLOURS;
  const dotClass = line.dashed ? `dot open l${colour}` : `dot s${colour} l${colour}`;
  return [
    element("path", { ...strokeOf(line), d: path }),
    ...points.map(([cx, cy]) => element("circle", { class: dotClass, cx, cy, r: 3 })),
  ];
}

function strokeOf(line: Line): Attributes {
  const colour = `curve l${line.colour % SERIES_COLOURS}`;
  return line.dashed ? { class: colour, "stroke-dasharray": "5 4" } : { class: colour };
}

/** Whole powers of ten around the values. */
function logAxis(values: readonly number[], from: number, to: number): Axis {
  const positive = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...positive, 1e9)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive, 1e-9))));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return {
    ticks,
    at: (value) => from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (to - from),
  };
}

function linearAxis(values: readonly number[], from: number, to: number): Axis {
  const most = Math.max(...values) || 1;
  const step = stepOf(most);
  const count = Math.ceil((most * 1.02) / step);
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => i * step),
    at: (value) => from + (value / (count * step)) * (to - from),
  };
}

export function shortNumber(value: number): string {
  if (value >= 1e6) return `${round(value / 1e6)}M`;
  if (value >= 1e3) return `${round(value / 1e3)}k`;
  return String(round(value));
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
