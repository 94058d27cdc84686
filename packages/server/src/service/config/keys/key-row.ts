import type { KindName } from "../kinds.js";

/**
 * What the table of configuration keys says of one key. The reader of settings, the warnings, the
 * refusals and the operators' page all come from these rows, so a sentence here is one an operator reads.
 */
interface KeyFacts {
  /** The name as it stands in a zoo.cfg; where no such key exists, the name of the Java property. */
  readonly key: string;
  /** For keys with a part of their own, like server.1: what all of them begin with. */
  readonly family?: string;
  /** Where Apache reads it: only in the file, or only as a `-D` property. @default both */
  readonly only?: "file" | "property";
  /** The Java property. @default zookeeper.<key> */
  readonly property?: string;
  /** A second spelling of the property. */
  readonly alsoProperty?: string;
  readonly kind: KindName;
  /** What holds where nothing is said, written as in a zoo.cfg; empty for none. */
  readonly default: string;
  /** What holds instead where the server is started without a configuration file. */
  readonly withoutFile?: string;
  readonly meaning: string;
  /** The key that switches on what this one is a detail of: where that one is given, it speaks for both. */
  readonly partOf?: string;
}

/** Does here what it does in Apache's server. */
interface SupportedKey extends KeyFacts {
  readonly support: "supported";
}

/** Known, without effect so far: a warning says so. */
interface NotYetKey extends KeyFacts {
  readonly support: "not-yet";
  /** Completes "not supported yet: ...". */
  readonly instead: string;
  /** The values that ask for nothing but what happens anyway. @default the default */
  readonly same?: readonly string[];
}

/** Tunes machinery that this server does not have: nothing is lost by ignoring it. */
interface IrrelevantKey extends KeyFacts {
  readonly support: "irrelevant";
  /** Completes "has no effect: ...". */
  readonly because: string;
}

/** Asks for protection that is not there: the server refuses to start, unless the value turns it off. */
interface SecurityKey extends KeyFacts {
  readonly support: "security";
  /** Completes "asks for ...". */
  readonly asksFor: string;
}

export type KeyRow = SupportedKey | NotYetKey | IrrelevantKey | SecurityKey;
export type Support = KeyRow["support"];
