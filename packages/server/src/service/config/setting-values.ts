import type { GivenValue } from "./given-values.js";
import type { GivenValues } from "./key-verdicts.js";
import { type KeyRow, keyRow, type SupportedKeyName, type SupportedRow } from "./keys.js";
import { type KindValue, kinds } from "./kinds.js";

/** A key of one of these kinds and without a default may be missing; the others read an empty text. */
type CanBeMissing = { readonly default: ""; readonly kind: "port" | "path" | "bytes" | "ticks" };

type ValueOf<K extends SupportedKeyName> =
  | KindValue<SupportedRow<K>["kind"]>
  | (SupportedRow<K> extends CanBeMissing ? undefined : never);

/** The values by key, each of its own type: what was given, or else the default. */
export class SettingValues {
  /** The configuration file's name; undefined where the server is started without one. */
  readonly file: string | undefined;
  readonly workingDirectory: string;
  private readonly values: GivenValues;

  /** `values` have passed `judgeValues`: every one can be read. */
  constructor(values: GivenValues, file: string | undefined, workingDirectory: string) {
    this.values = values;
    this.file = file;
    this.workingDirectory = workingDirectory;
  }

  given(key: SupportedKeyName): GivenValue | undefined {
    return this.values.get(key);
  }

  read<K extends SupportedKeyName>(key: K): ValueOf<K> {
    const row: KeyRow = keyRow(key);
    const fallback = this.file === undefined ? (row.withoutFile ?? row.default) : row.default;
    const text = this.values.get(key)?.text ?? fallback;
    return kinds[row.kind].read(text, row.default)?.value as ValueOf<K>;
  }
}
