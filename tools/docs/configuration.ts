import type { KeyDescription } from "../../packages/server/src/service/config/index.js";
import { table } from "./compatibility.js";

/** Renders docs/configuration.md from the table of keys that the configuration is read with. */
export function configurationPage(keys: readonly KeyDescription[]): string {
  const groups = [...new Set(keys.map((key) => key.group))];
  const sections = groups.map((group) =>
    section(
      group,
      keys.filter((key) => key.group === group),
    ),
  );
  return [HEAD, ...sections].join("\n");
}

const HEAD = `# Configuration

<!-- Generated from the tables in packages/server/src/service/config by \`npm run docs\`; a test holds it to them. -->

\`watchkeeper serve zoo.cfg\` reads an unmodified Apache configuration file. What an installation passes as
JVM flags in \`SERVER_JVMFLAGS\` (\`-Dzookeeper.X=V\`, \`-Djute.maxbuffer=V\`) is read as well; a key in the file
outranks the same flag, and an option of the command line outranks both.

A key that is known but not supported yet is a warning that names it, an unknown one a warning that names
the nearest known key. A malformed value ends the start, with file, line and what was expected. A setting
that asks for security that is not there yet (TLS, SASL, enforced authentication) ends it too: a server is
never run open where it was meant to be closed.
`;

function section(group: string, keys: readonly KeyDescription[]): string {
  const rows = keys.map((key) => [
    `\`${key.key}\``,
    key.expected,
    defaultOf(key),
    key.support,
    key.remark === "" ? key.meaning : `${key.meaning} ${key.remark}`,
  ]);
  return `## ${group}\n\n${table(["key", "value", "default", "support", "meaning"], rows)}\n`;
}

function defaultOf(key: KeyDescription): string {
  if (key.defaultWithoutFile === key.default) return key.default;
  return `${key.default || "none"}; without a file ${key.defaultWithoutFile}`;
}
