import { expect, test } from "vitest";
import { linePanels, shortNumber } from "../src/picture/line-panels.js";
import { ratioBars } from "../src/picture/ratio-bars.js";

/** Tags open and close in pairs, attributes are quoted, and no bare `&` or `<` stands in text: what a parser needs. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/y;
  for (let at = 0; at < svg.length; ) {
    if (svg[at] !== "<") {
      const end = svg.indexOf("<", at);
      const content = svg.slice(at, end === -1 ? undefined : end);
      expect(content).not.toMatch(/&(?!(?:amp|lt|gt|quot);)/);
      at += content.length;
      continue;
    }
    tag.lastIndex = at;
    const [whole, closing, name, , empty] = tag.exec(svg) ?? expect.fail(`no tag at: ${svg.slice(at, at + 60)}`);
    if (closing === "/") expect(open.pop()).toBe(name);
    else if (empty === "") open.push(name!);
    at += whole.length;
  }
  expect(open).toEqual([]);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
}

const bars = {
  title: "Ours & <theirs>",
  unit: 'times "more"',
  caption: "2026-01-01",
  series: ["throughput", "economy"],
  groups: [
    { label: "get -c 50", ratios: [1.4, 12] },
    { label: "set -c 50", ratios: [0.5, 2] },
  ],
};

test("a picture of ratios is well-formed and shows every figure, its title and its caption", () => {
  const svg = ratioBars(bars);
  expectWellFormed(svg);
  for (const shown of ["1.4x", "12x", "0.5x", "get -c 50", "Ours &amp; &lt;theirs&gt;", "2026-01-01"]) {
    expect(svg).toContain(shown);
  }
});

test("bars are as long as their ratios", () => {
  const widths = [...ratioBars(bars).matchAll(/<rect class="s\d" x="190" y="[\d.]+" width="([\d.]+)" height="13"/g)];
  const [first, second, third] = widths.map(([, width]) => Number(width));
  expect(second! / first!).toBeCloseTo(12 / 1.4, 1);
  expect(third! / first!).toBeCloseTo(0.5 / 1.4, 1);
});

test("pictures are readable on dark pages too", () => {
  expect(ratioBars(bars)).toContain("prefers-color-scheme:dark");
});

test("a picture of curves is well-formed with one point, with zeros and with nothing measured", () => {
  const line = (points: readonly (readonly [number, number])[]) => ({
    label: "gets",
    colour: 0,
    dashed: false,
    points,
  });
  const svg = linePanels({
    title: "Growth",
    xLabel: "znodes",
    lineKey: "Watchkeeper solid",
    caption: "2026-01-01",
    panels: [
      { title: "one", logarithmic: false, lines: [line([[1000, 5]])] },
      { title: "zeros", logarithmic: false, lines: [line([[1, 0], [1e6, 0]])] }, // biome-ignore format: points read better in a line
      { title: "logarithmic", logarithmic: true, lines: [line([[10, 3], [1e6, 2e7]])] }, // biome-ignore format: as above
      { title: "none", logarithmic: false, lines: [line([])] },
    ],
  });
  expectWellFormed(svg);
  expect(svg).toContain("none: not measured");
});

test.each([
  [1000, "1k"],
  [2_500_000, "2.5M"],
  [37, "37"],
  [0.2, "0.2"],
])("%d is written %s on an axis", (value, written) => {
  expect(shortNumber(value)).toBe(written);
});
