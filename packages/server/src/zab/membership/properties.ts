/**
 * The syntax of a zoo.cfg: Java's properties format (`java.util.Properties.load`), with the line of
 * every entry, because an error that names no line sends its reader hunting.
 *
 * A natural line ends at \n, \r or \r\n. Blank lines and lines that begin with `#` or `!` say
 * nothing. A backslash at a line's end continues it, without the next line's leading blanks; a
 * continued line may begin with `#`; a backslash alone continues nothing. The key ends at the first unescaped `=`, `:` or blank.
 */
export interface Property {
  readonly key: string;
  readonly value: string;
  /** Where the entry begins, counted from 1. */
  readonly line: number;
}

/** Text that is no properties file: only a broken `\uXXXX` can do that. */
export class PropertiesError extends Error {
  override readonly name = "PropertiesError";
  readonly line: number;
  readonly found: string;

  constructor(line: number, found: string) {
    super(`line ${line}: expected four hexadecimal digits after \\u, found "${found}"`);
    this.line = line;
    this.found = found;
  }
}

/**
 * Every entry in the order of the text, a key that stands twice included twice: the last counts.
 * Keys and values are trimmed, as ZooKeeper does on top of the format.
 */
export function parseProperties(text: string): Property[] {
  return logicalLines(text).map(({ text: content, line }) => {
    const { keyEnd, valueStart } = splitEntry(content);
    return {
      key: trimAsJava(unescapeText(content.slice(0, keyEnd), line)),
      value: trimAsJava(unescapeText(content.slice(valueStart), line)),
      line,
    };
  });
}

interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

function logicalLines(text: string): LogicalLine[] {
  const naturalLines = text.split(/\r\n|\r|\n/);
  const lines: LogicalLine[] = [];
  for (let index = 0; index < naturalLines.length; index++) {
    let content = withoutLeadingBlanks(naturalLines[index]!);
    if (content === "" || content === "\\" || content.startsWith("#") || content.startsWith("!")) continue;
    const line = index + 1;
    while (endsInContinuation(content)) {
      content = content.slice(0, -1);
      if (index + 1 >= naturalLines.length) break;
      content += withoutLeadingBlanks(naturalLines[++index]!);
    }
    lines.push({ text: content, line });
  }
  return lines;
}

/** An even number of backslashes at the end are escaped ones, and end the line. */
function endsInContinuation(content: string): boolean {
  let count = 0;
  while (content[content.length - 1 - count] === "\\") count++;
  return count % 2 === 1;
}

function withoutLeadingBlanks(content: string): string {
  return content.replace(/^[ \t\f]+/, "");
}

function splitEntry(content: string): { keyEnd: number; valueStart: number } {
  let keyEnd = 0;
  while (keyEnd < content.length && !/[=: \t\f]/.test(content[keyEnd]!)) {
    keyEnd += content[keyEnd] === "\\" ? 2 : 1;
  }
  const separator = /^[ \t\f]*[=:]?[ \t\f]*/.exec(content.slice(keyEnd));
  return { keyEnd, valueStart: keyEnd + (separator?.[0].length ?? 0) };
}

const controlEscapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescapeText(content: string, line: number): string {
  return content.replace(
    /\\(?:u(.{0,4})|(.?))/gs,
    (_escape, digits: string | undefined, letter: string | undefined) => {
      if (digits === undefined) return controlEscapes[letter!] ?? letter!;
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new PropertiesError(line, digits);
      return String.fromCharCode(Number.parseInt(digits, 16));
    },
  );
}

/** Java's `String.trim` takes away everything up to the space, and nothing above it. */
function trimAsJava(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start]! <= " ") start++;
  while (end > start && text[end - 1]! <= " ") end--;
  return text.slice(start, end);
}
