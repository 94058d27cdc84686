/**
 * SVG by hand: elements as text, attributes escaped. Colours are classes of one style sheet with a dark
 * half, so that a picture is readable on a light and on a dark page alike.
 */
export type Attributes = Readonly<Record<string, string | number>>;

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(String(rounded(value)))}"`);
  const opened = `<${name}${written.join("")}`;
  return children.length === 0 ? `${opened}/>` : `${opened}>${children.join("")}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escapeText(content));
}

export function escapeText(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function rounded(value: string | number): string | number {
  return typeof value === "number" ? Math.round(value * 10) / 10 : value;
}

const LIGHT = ["#1f6feb", "#bc4c00", "#1a7f37", "#8250df"];
const DARK = ["#58a6ff", "#f0883e", "#3fb950", "#bc8cff"];

/** How many series can be told apart by colour. */
export const SERIES_COLOURS = LIGHT.length;

function palette(colours: readonly string[], paper: string, ink: string, faint: string): string {
  const series = colours.map((colour, i) => `.s${i}{fill:${colour}}.l${i}{stroke:${colour}}.l${i}.open{fill:${paper}}`);
  return `.paper{fill:${paper}}.halo{stroke:${paper}}text{fill:${ink}}.faint{fill:${faint}}.grid{stroke:${faint}}${series.join("")}`;
}

const STYLE = [
  "text{font:12px system-ui,sans-serif}.title{font-size:16px;font-weight:600}.panel{font-weight:600}",
  ".grid{stroke-opacity:.3}.curve{fill:none;stroke-width:2}.dot{stroke-width:2}.halo{stroke-width:3px;paint-order:stroke}.open{stroke-dasharray:none}",
  palette(LIGHT, "#ffffff", "#1f2328", "#59636e"),
  `@media(prefers-color-scheme:dark){${palette(DARK, "#0d1117", "#e6edf3", "#9198a1")}}`,
].join("");

export interface Picture {
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly body: readonly string[];
}

/** A whole document, with its title and description for those who do not see it. */
export function svgDocument({ title, description, width, height, body }: Picture): string {
  const root = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-labelledby": "title description",
    },
    "\n",
    element("title", { id: "title" }, escapeText(title)),
    element("desc", { id: "description" }, escapeText(description)),
    element("style", {}, STYLE),
    element("rect", { class: "paper", width, height, rx: 6 }),
    "\n",
    body.join("\n"),
    "\n",
  );
  return `${root}\n`;
}
