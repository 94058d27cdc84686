/**
 * Log lines as the pure code writes them: a sentence and facts as fields. Never node data, never
 * credentials: paths, ids, sizes and codes only.
 */
export interface Logger {
  debug(facts: object, sentence: string): void;
  info(facts: object, sentence: string): void;
  warn(facts: object, sentence: string): void;
  error(facts: object, sentence: string): void;
}
