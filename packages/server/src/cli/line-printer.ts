import { exitCodes } from "./exit-codes.js";
import { jsonText } from "./output.js";

/**
 * Prints what may be millions of lines: gathered into large writes, with what is told beside them on the
 * standard error in its right place between them, and on a terminal one passing line that says how far
 * the work is.
 */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly writableNeedDrain: boolean;
  write(text: string): boolean;
  once(event: "drain", listener: () => void): unknown;
}

const BATCH_CHARS = 64 << 10;
/** Who sees lines come needs no telling that work goes on. */
const QUIET_BEFORE_STATUS_MS = 1000;
const CLEAR_LINE = "\r\u001b[K";

export class LinePrinter {
  /** Whether something was complained of: the process is to end with the exit code of a failure. */
  failed = false;
  private readonly out: OutputStream;
  private readonly err: OutputStream;
  private readonly nowMs: () => number;
  private batch = "";
  private lastShownAtMs: number;
  /** Empty where none stands. */
  private shownStatus = "";

  constructor(
    out: OutputStream = process.stdout,
    err: OutputStream = process.stderr,
    nowMs: () => number = () => performance.now(),
  ) {
    this.out = out;
    this.err = err;
    this.nowMs = nowMs;
    this.lastShownAtMs = nowMs();
  }

  line(text: string): void {
    this.batch += `${text}\n`;
    if (this.batch.length >= BATCH_CHARS) this.flush();
  }

  /** One JSON value on one line. */
  json(value: unknown): void {
    this.line(jsonText(value));
  }

  note(text: string): void {
    this.flush();
    this.clearStatus();
    this.err.write(`${text}\n`);
  }

  /** Tells of a failure that does not keep the rest from being done. */
  complain(sentence: string): void {
    this.failed = true;
    this.note(`watchkeeper: ${sentence}`);
  }

  /** Shown on a terminal only, when nothing else has been shown for a while, until something else is. */
  status(text: string): void {
    if (this.err.isTTY !== true || text === this.shownStatus) return;
    if (this.shownStatus === "" && this.nowMs() - this.lastShownAtMs < QUIET_BEFORE_STATUS_MS) return;
    this.shownStatus = text;
    this.err.write(`${CLEAR_LINE}${text}`);
  }

  /** Resolves when whoever reads the output has taken it: nothing gathers in memory while waiting for that. */
  async drained(): Promise<void> {
    if (!this.out.writableNeedDrain) return;
    await new Promise<void>((resolve) => this.out.once("drain", resolve));
  }

  /** Everything is out; a failure decides the process's exit code. */
  end(): void {
    this.flush();
    this.clearStatus();
    if (this.failed) process.exitCode = exitCodes.failure.code;
  }

  private flush(): void {
    if (this.batch === "") return;
    if (this.out.isTTY === true) {
      this.clearStatus();
      this.lastShownAtMs = this.nowMs();
    }
    this.out.write(this.batch);
    this.batch = "";
  }

  private clearStatus(): void {
    if (this.shownStatus !== "") this.err.write(CLEAR_LINE);
    this.shownStatus = "";
  }
}
