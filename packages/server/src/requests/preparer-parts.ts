import type { AccessControl } from "./access-control.js";
import type { PendingChanges } from "./pending-changes.js";
import type { QuotaCheck } from "./quota-check.js";

export interface PreparerSettings {
  readonly extendedTypesEnabled: boolean;
  readonly reconfigEnabled: boolean;
  /** The longest entry a reader of the log accepts. */
  readonly txnBytesMax: number;
}

/** What a write is checked against. */
export interface PreparerParts {
  readonly pending: PendingChanges;
  readonly access: AccessControl;
  readonly quotas: QuotaCheck;
  readonly settings: PreparerSettings;
}
