/**
 * What is wrong with the files of a data directory, told so that an operator can act: which file, where
 * in it, what was found, what to do. It stops the start; a `DiskError` is something else, the disk's own.
 */
export class DataDirectoryError extends Error {
  override readonly name = "DataDirectoryError";
  readonly file: string;
  /** The byte at which the trouble begins; undefined where the whole file or directory is meant. */
  readonly offset: number | undefined;
  readonly advice: string;

  constructor(finding: { file: string; offset?: number; found: string; advice: string }, options?: ErrorOptions) {
    const where = finding.offset === undefined ? finding.file : `${finding.file}, offset ${finding.offset}`;
    super(`${where}: ${finding.found}. ${finding.advice}`, options);
    this.file = finding.file;
    this.offset = finding.offset;
    this.advice = finding.advice;
  }
}
