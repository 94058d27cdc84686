import type { Logger } from "../ports/index.js";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly facts: object;
  readonly sentence: string;
}

/** A logger that keeps what was said. */
export class KeptLines implements Logger {
  readonly lines: LogLine[] = [];

  debug(facts: object, sentence: string): void {
    this.lines.push({ level: "debug", facts, sentence });
  }

  info(facts: object, sentence: string): void {
    this.lines.push({ level: "info", facts, sentence });
  }

  warn(facts: object, sentence: string): void {
    this.lines.push({ level: "warn", facts, sentence });
  }

  error(facts: object, sentence: string): void {
    this.lines.push({ level: "error", facts, sentence });
  }

  get warnings(): string[] {
    return this.of("warn").map(({ sentence }) => sentence);
  }

  of(level: LogLine["level"]): LogLine[] {
    return this.lines.filter((line) => line.level === level);
  }
}
