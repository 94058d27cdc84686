/** What the person typed cannot be run: one sentence on standard error, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
