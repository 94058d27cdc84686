import { element, svgDocument, text } from "./svg.js";

/** Bars that lie: one group for each load, one bar for each ratio, and a line where both servers are equal. */
export interface RatioBars {
  readonly title: string;
  /** What a ratio is, and which way is better. */
  readonly unit: string;
  readonly caption: string;
  readonly series: readonly string[];
  readonly groups: readonly { readonly label: string; readonly ratios: readonly number[] }[];
}

const WIDTH = 760;
const LEFT = 190;
const RIGHT = 60;
const TOP = 84;
const BAR_HEIGHT = 13;
const GROUP_GAP = 12;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;

export function ratioBars(chart: RatioBars): string {
  const groupHeight = chart.series.length * (BAR_HEIGHT + 2) + GROUP_GAP;
  const bottom = TOP + chart.groups.length * groupHeight;
  const most = Math.max(1, ...chart.groups.flatMap((group) => group.ratios));
  const step = stepOf(most);
  const end = Math.ceil(most / step) * step;
  const xOf = (ratio: number): number => LEFT + (ratio / end) * PLOT_WIDTH;
  return svgDocument({
    title: chart.title,
    description: `${chart.unit}. ${chart.groups.map(describeGroup(chart.series)).join("; ")}.`,
    width: WIDTH,
    height: bottom + 52,
    body: [
      text(16, 28, chart.title, { class: "title" }),
      text(16, 48, chart.unit, { class: "faint" }),
      ...legend(chart.series),
      ...scale(end, step, bottom, xOf),
      ...chart.groups.flatMap((group, i) => bars(group, TOP + i * groupHeight, xOf)),
      element("line", { class: "l1", x1: xOf(1), x2: xOf(1), y1: TOP - 8, y2: bottom, "stroke-width": 1.5 }),
      ...chart.groups.flatMap((group, i) => figures(group, TOP + i * groupHeight, xOf)),
      text(16, bottom + 40, chart.caption, { class: "faint" }),
    ],
  });
}

function describeGroup(series: readonly string[]): (group: RatioBars["groups"][number]) => string {
  return ({ label, ratios }) => `${label}: ${ratios.map((ratio, i) => `${series[i]} ${ratio.toFixed(1)}`).join(", ")}`;
}

function legend(series: readonly string[]): string[] {
  return series.flatMap((name, i) => {
    const x = LEFT + i * 200;
    const colour = colourOf(i);
    return [element("rect", { class: colour, x, y: 58, width: 11, height: 11, rx: 2 }), text(x + 17, 68, name)];
  });
}

function scale(end: number, step: number, bottom: number, xOf: (ratio: number) => number): string[] {
  const lines: string[] = [];
  for (let i = 0; i * step <= end; i++) {
    const x = xOf(i * step);
    lines.push(
      element("line", { class: "grid", x1: x, x2: x, y1: TOP - 8, y2: bottom }),
      text(x, bottom + 16, `${i * step}x`, { class: "faint", "text-anchor": "middle" }),
    );
  }
  return lines;
}

type Group = RatioBars["groups"][number];

function bars(group: Group, top: number, xOf: (ratio: number) => number): string[] {
  return group.ratios.map((ratio, i) =>
    element("rect", {
      class: colourOf(i),
      x: LEFT,
      y: top + i * (BAR_HEIGHT + 2),
      width: xOf(ratio) - LEFT,
      height: BAR_HEIGHT,
      rx: 2,
    }),
  );
}

/** Drawn last, with a rim in the colour of the paper: short bars put theirs on the line of equality. */
function figures(group: Group, top: number, xOf: (ratio: number) => number): string[] {
  const middle = top + (group.ratios.length * (BAR_HEIGHT + 2)) / 2 + 4;
  return [
    text(LEFT - 10, middle, group.label, { "text-anchor": "end" }),
    ...group.ratios.map((ratio, i) =>
      text(xOf(ratio) + 5, top + i * (BAR_HEIGHT + 2) + BAR_HEIGHT - 2, `${ratio.toFixed(ratio < 10 ? 1 : 0)}x`, {
        class: "halo",
      }),
    ),
  ];
}

/** The second colour is the line of equality's. */
function colourOf(series: number): string {
  return series === 0 ? "s0" : `s${series + 1}`;
}

/** A round step that makes three to ten lines. */
export function stepOf(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const share = most / power;
  if (share < 2) return power / 5;
  return share < 5 ? power / 2 : power * 2;
}
