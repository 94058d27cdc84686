import type { ErrorName } from "@watchkeeper/client";

/** What a script can tell apart by `$?`. The help prints this table; nothing else knows the numbers. */
export const exitCodes = {
  ok: { code: 0, meaning: "done" },
  failure: { code: 1, meaning: "anything not listed here, such as a file that cannot be read" },
  usage: { code: 2, meaning: "the command line is wrong, or an argument no server would take" },
  noNode: { code: 3, meaning: "the node, or its parent, does not exist" },
  nodeExists: { code: 4, meaning: "the node exists already" },
  badVersion: { code: 5, meaning: "the version is not the expected one" },
  notPermitted: { code: 6, meaning: "refused by an access control list, or a credential was refused" },
  notEmpty: { code: 7, meaning: "the node has children" },
  noConnection: { code: 8, meaning: "no server could be reached, or none answered in time" },
  quotaExceeded: { code: 9, meaning: "a hard quota would be exceeded" },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

export type ExitName = keyof typeof exitCodes;

const byError: Partial<Record<ErrorName, ExitName>> = {
  NO_NODE: "noNode",
  NODE_EXISTS: "nodeExists",
  BAD_VERSION: "badVersion",
  NO_AUTH: "notPermitted",
  AUTH_FAILED: "notPermitted",
  SESSION_CLOSED_REQUIRE_SASL_AUTH: "notPermitted",
  NOT_EMPTY: "notEmpty",
  CONNECTION_LOSS: "noConnection",
  REQUEST_TIMEOUT: "noConnection",
  OPERATION_TIMEOUT: "noConnection",
  SESSION_EXPIRED: "noConnection",
  BAD_ARGUMENTS: "usage",
  INVALID_ACL: "usage",
  QUOTA_EXCEEDED: "quotaExceeded",
};

export function exitCodeOf(error: ErrorName): number {
  return exitCodes[byError[error] ?? "failure"].code;
}

export function exitCodeHelp(): string {
  const rows = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`);
  return `Exit codes:\n${rows.join("\n")}`;
}
