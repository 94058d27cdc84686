/** Where the ensemble is shown: a terminal, or whatever else standard output is. */
export interface Output {
  readonly isTty: boolean;
  /** Columns of a terminal. */
  readonly columns: () => number;
  write(text: string): void;
}

export interface View {
  /** What the table is of; wrapped where the terminal is narrow. */
  readonly heading: readonly string[];
  /** Lines that were made for `width`. */
  readonly table: readonly string[];
  /** Where the table goes line by line: it is written again when this has changed. */
  readonly occasion: string;
  readonly footer: readonly string[];
}

/** How many of the things that happened stay in sight. */
const EVENTS_SHOWN = 6;

/**
 * On a terminal the same lines are written again and again in one place, events among them. Anywhere else
 * every event is a line of its own, with the table behind it where there is occasion: a file or a pipe wants
 * to be read from the top.
 */
export class Screen {
  private readonly output: Output;
  private readonly timeOfDay: () => string;
  private readonly events: string[] = [];
  private linesDrawn = 0;
  private drawn = "";
  private occasion = "";

  constructor(output: Output, timeOfDay: () => string) {
    this.output = output;
    this.timeOfDay = timeOfDay;
  }

  tell(sentence: string): void {
    const line = `${this.timeOfDay()}  ${sentence}`;
    if (!this.output.isTty) {
      this.output.write(`${line}\n`);
      return;
    }
    this.events.push(line);
    if (this.events.length > EVENTS_SHOWN) this.events.shift();
  }

  /** How long a line may be without taking two; one column is left to the cursor. */
  get width(): number {
    return this.output.isTty ? Math.max(20, this.output.columns() - 1) : Number.POSITIVE_INFINITY;
  }

  draw(view: View): void {
    if (this.output.isTty) this.redraw(view);
    else if (view.occasion !== this.occasion) {
      const lines = [...view.heading, "", ...view.table];
      this.output.write(lines.map((line) => `  ${line}\n`).join(""));
    }
    this.occasion = view.occasion;
  }

  private redraw({ heading, table, footer }: View): void {
    const { width } = this;
    const wrapped = (texts: readonly string[]): string[] => texts.flatMap((each) => wrappedText(each, width));
    const lines = [
      ...wrapped(heading),
      "",
      ...table.map((row) => row.slice(0, width)),
      "",
      ...wrapped(footer),
      ...wrapped(this.events.map((event) => `  ${event}`)),
    ];
    const text = lines.map((line) => `${line}\u001b[K\n`).join("");
    if (text === this.drawn) return;
    // Up to where the last drawing began; what is left below it is erased with the end.
    const up = this.linesDrawn === 0 ? "" : `\u001b[${this.linesDrawn}A\r`;
    this.output.write(`${up}${text}\u001b[J`);
    this.linesDrawn = lines.length;
    this.drawn = text;
  }
}

const CONTINUED = "    ";

/** Broken behind a space or a comma, so that neither a word nor a server's address is torn. */
function wrappedText(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const head = rest.slice(0, width);
    const indent = head.length - head.trimStart().length;
    const space = Math.max(head.lastIndexOf(" "), head.lastIndexOf(",")) + 1;
    const end = space > indent ? space : width;
    lines.push(rest.slice(0, end).trimEnd());
    rest = `${CONTINUED}${rest.slice(end).trimStart()}`;
  }
  return [...lines, rest];
}
