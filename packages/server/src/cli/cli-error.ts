import { type ExitName, exitCodes } from "./exit-codes.js";

/** A failure that is told in one sentence, with the exit code that goes with it; never a stack trace. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(exit: ExitName, sentence: string) {
    super(sentence);
    this.exitCode = exitCodes[exit].code;
  }
}
