/** Where a value came from, so that whoever reads an error knows what to open. */
export type Origin =
  | { readonly kind: "file"; readonly file: string; readonly line: number }
  | { readonly kind: "flags"; readonly variable: string }
  | { readonly kind: "option"; readonly option: string };

/** "zoo.cfg line 3", "SERVER_JVMFLAGS", "--port": the beginning of every sentence about a value. */
export function originPhrase(origin: Origin): string {
  switch (origin.kind) {
    case "file":
      return `${origin.file} line ${origin.line}`;
    case "flags":
      return origin.variable;
    case "option":
      return origin.option;
  }
}

export type ConfigErrorCode =
  /** A value, a line or a file that cannot be read as what it should be. */
  | "MALFORMED"
  /** Something without which no server can start. */
  | "MISSING"
  /** Values that contradict each other. */
  | "CONFLICT"
  /** The file itself cannot be opened. */
  | "UNREADABLE"
  /** Protection was asked for that this release does not have. */
  | "SECURITY"
  /** Asks for an ensemble of a kind that is not there yet. */
  | "ENSEMBLE";

export interface ConfigErrorFacts {
  readonly file?: string;
  readonly line?: number;
  readonly key?: string;
  readonly expected?: string;
  readonly found?: string;
}

/** The configuration cannot be served: the message is the one sentence to print, without a stack. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code: ConfigErrorCode;
  readonly facts: ConfigErrorFacts;
  /** Apache's exit code for an invalid configuration. */
  readonly exitCode = 2;

  constructor(code: ConfigErrorCode, message: string, facts: ConfigErrorFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.facts = facts;
  }
}

/** Which file and line an error or a warning is about, as facts. */
export function originFacts(origin: Origin): Pick<ConfigErrorFacts, "file" | "line"> {
  return origin.kind === "file" ? { file: origin.file, line: origin.line } : {};
}

type ConfigWarningCode =
  | "UNKNOWN_KEY"
  | "NOT_SUPPORTED_YET"
  /** Known, and harmless to ignore: worth a line at level info. */
  | "NO_EFFECT"
  /** A key in a place where Apache does not read it, and so neither do we. */
  | "NOT_READ_HERE"
  | "SET_TWICE"
  /** Taken for something other than what stands there. */
  | "TAKEN_AS"
  /** Works as asked, and is dangerous. */
  | "DANGEROUS"
  | "RECOMMENDED";

export interface ConfigWarning {
  readonly code: ConfigWarningCode;
  readonly level: "info" | "warn";
  readonly message: string;
  readonly key?: string;
  readonly file?: string;
  readonly line?: number;
  /** For an unknown key: the known one nearest to it. */
  readonly nearest?: string;
}
