import { errorCodes, type OperationEntry, operations } from "@watchkeeper/wire";

/** Renders docs/compatibility.md from the tables that the codec and the servers work from. */
export interface KnownDifference {
  readonly id: string;
  readonly explanation: string;
}

export function compatibilityPage(differences: readonly KnownDifference[]): string {
  return [
    HEAD,
    "## Operations\n",
    table(["opcode", "operation", "kind", "since", "request", "response", "remark"], operationRows()),
    "\n## Error codes\n",
    table(["code", "name", "meaning", "comes from", "may be retried"], errorRows()),
    "\n## Where a reply differs from Apache ZooKeeper 3.8.0's\n",
    "Found and held by a test that sends the same random requests to both servers and compares every reply,",
    "event and byte of the tree. It fails for a difference that is not listed here, and for one listed that does not occur.\n",
    differences.map(({ id, explanation }) => `- **${id}**: ${explanation}`).join("\n"),
    "",
  ].join("\n");
}

const HEAD = `# Compatibility

<!-- Generated from the tables in packages/wire and test/interop by \`npm run docs\`; a test holds it to them. -->

Watchkeeper speaks the client protocol of Apache ZooKeeper 3.4 to 3.9 and reads and writes its data
directories. Where releases differ it follows the newest released line, 3.9. Clients that its tests run
unchanged: Apache's zkCli.sh and Java client 3.8.0, libzookeeper_mt (C), kazoo (Python), Curator's recipes.

Between servers it speaks the election and learner protocols of Apache ZooKeeper 3.5 to 3.9, so that its servers
and Apache's form one ensemble.

Not supported yet, and refused at the start where a configuration asks for it: TLS, SASL, dynamic
reconfiguration of an ensemble. Local sessions, observer masters and the two-server oracle are done without,
and a warning says so. Opcodes of servers' own (\`internal\` below) and unknown ones are
answered with UNIMPLEMENTED and, unlike Apache, do not cost the connection.
`;

function operationRows(): string[][] {
  return Object.entries(operations).map(([name, entry]: [string, OperationEntry]) => [
    String(entry.opcode),
    name,
    entry.kind,
    entry.since,
    fieldsOf(entry.request),
    fieldsOf(entry.response),
    entry.remark ?? "",
  ]);
}

function fieldsOf(record: OperationEntry["request"]): string {
  if (record === null) return "none";
  return Object.entries(record.fields)
    .map(([name, field]) => `${name} ${field.type}`)
    .join(", ");
}

function errorRows(): string[][] {
  return Object.entries(errorCodes).map(([name, { code, sentence, origin, retryable }]) => [
    String(code),
    name,
    sentence,
    origin,
    retryable ? "yes" : "no",
  ]);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
