import type { CallOptions } from "./call-options.js";

export interface ReconfigOptions extends CallOptions {
  /** Servers to add or change, as lines of a dynamic configuration: "server.4=host:2888:3888:participant;2181". */
  readonly joining?: readonly string[] | undefined;
  /** Ids of servers to take out. */
  readonly leaving?: readonly (number | string)[] | undefined;
  /** All servers of the new configuration, instead of `joining` and `leaving`. */
  readonly members?: readonly string[] | undefined;
  /** The configuration that must stand now: the `version` in its last line. @default any */
  readonly fromConfig?: bigint | undefined;
}

export function reconfigProblem({ joining, leaving, members }: ReconfigOptions): string | undefined {
  const isChange = joining !== undefined || leaving !== undefined;
  if (members === undefined) return isChange ? undefined : "joining, leaving or members expected";
  return isChange ? "either members, or joining and leaving, expected" : undefined;
}

export function reconfigBody({ joining, leaving, members, fromConfig }: ReconfigOptions) {
  return {
    joiningServers: joining?.join(",") ?? null,
    leavingServers: leaving?.join(",") ?? null,
    newMembers: members?.join(",") ?? null,
    curConfigId: fromConfig ?? -1n,
  };
}
