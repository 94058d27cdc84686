/**
 * Transcripts of a command line: what is typed and what is answered, in a file that reads like a screen.
 *
 *     # A heading opens a section and says what it shows.
 *     > create /app hello
 *     Created /app
 *
 * Lines after `>` up to the next command are the answer; lines that start with `--` are remarks. What
 * differs from run to run is masked, but not blindly: zxids and session ids are numbered in the order
 * in which a section first shows them, so two that were equal must be equal again.
 */
export interface Exchange {
  readonly command: string;
  readonly answer: readonly string[];
}

export interface Section {
  readonly title: string;
  readonly exchanges: readonly Exchange[];
}

export function parseTranscript(text: string): Section[] {
  const sections: { title: string; exchanges: { command: string; answer: string[] }[] }[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("--") || line.trim() === "") continue;
    if (line.startsWith("# ")) {
      sections.push({ title: line.slice(2), exchanges: [] });
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) throw new Error(`a transcript opens with a heading, not with "${line}"`);
    if (line.startsWith("> ")) section.exchanges.push({ command: line.slice(2), answer: [] });
    else section.exchanges.at(-1)?.answer.push(line);
  }
  return sections;
}

export function renderExchanges(exchanges: readonly Exchange[]): string {
  return exchanges.map(({ command, answer }) => [`> ${command}`, ...answer].join("\n")).join("\n");
}

/** Masks the answers of one section. */
export class Mask {
  readonly #zxids = new Map<string, string>();
  readonly #sessions = new Map<string, string>();
  readonly #server: string;

  constructor(server: string) {
    this.#server = server;
  }

  line(text: string): string {
    return text
      .replaceAll(this.#server, "<server>")
      .replace(/^([cmp]Zxid) = (0x[0-9a-f]+)$/, (_, field, zxid) => `${field} = ${numbered(this.#zxids, "zxid", zxid)}`)
      .replace(
        /^ephemeralOwner = (0x[0-9a-f]+)$/,
        (_, id) => `ephemeralOwner = ${numbered(this.#sessions, "session", id)}`,
      )
      .replace(/^([cm]time) = .+$/, "$1 = <time>")
      .replace(/^(ZooKeeper CLI version:) .+$/, "$1 <version>");
  }
}

/** Zero stays what it is: no session owns the node, or it was there before the first transaction. */
function numbered(seen: Map<string, string>, kind: string, value: string): string {
  if (value === "0x0") return value;
  const name = seen.get(value) ?? `<${kind}-${seen.size + 1}>`;
  seen.set(value, name);
  return name;
}
