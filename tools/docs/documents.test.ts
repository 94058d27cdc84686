import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeKeys } from "../../packages/server/src/service/config/index.js";
import { knownDifferences } from "../../test/interop/differential/known-differences.js";
import { compatibilityPage } from "./compatibility.js";
import { configurationPage } from "./configuration.js";
import { metricsPage } from "./metrics.js";

const documents: [string, () => string][] = [
  ["docs/compatibility.md", () => compatibilityPage(knownDifferences)],
  ["docs/configuration.md", () => configurationPage(describeKeys())],
  ["docs/metrics.md", metricsPage],
];

test.each(documents)("%s says what the tables say (npm run docs writes it anew)", (name, render) => {
  const path = new URL(`../../${name}`, import.meta.url);
  if (process.env["UPDATE_DOCUMENTS"] === "1") writeFileSync(path, render());
  expect(readFileSync(path, "utf8")).toBe(render());
});
