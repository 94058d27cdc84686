import type { NodeOptions } from "../index.js";
import { ACL, toEntries } from "./acl.js";
import { CreateMode, modeOf } from "./create-mode.js";

/** Whatever a caller gives of data, ACLs, mode and callback, each known by its type and not by its place. */
export interface CreateArguments<C> {
  readonly data: Buffer | null;
  readonly options: NodeOptions;
  readonly callback: C | undefined;
}

export function createArguments<C extends (...given: never[]) => unknown>(
  given: readonly unknown[],
): CreateArguments<C> {
  const data = given.find((value) => Buffer.isBuffer(value)) ?? null;
  const acls: readonly ACL[] = given.find((value) => Array.isArray(value)) ?? ACL.OPEN_ACL_UNSAFE;
  const mode = given.find((value) => typeof value === "number") ?? CreateMode.PERSISTENT;
  const callback = given.find((value): value is C => typeof value === "function");
  if (acls.length === 0) throw new TypeError("acls must not be empty");
  return { data, options: { acl: toEntries(acls), mode: modeOf(mode) }, callback };
}

/** A version that may be left out, before the callback. */
export function versionAndCallback<C>(version: number | C, callback: C | undefined): [number, C] {
  if (callback !== undefined) {
    if (typeof version !== "number") throw new TypeError(`version must be a number, ${typeof version} found`);
    return [version, requireCallback(callback)];
  }
  return [ANY_VERSION, requireCallback(version as C)];
}

/** What programs pass on without having been given one counts as a callback that is missing. */
export function requireCallback<C>(callback: C | undefined): C {
  if (typeof callback !== "function") throw new TypeError("callback must be a function");
  return callback;
}

export function requirePath(path: string): void {
  if (typeof path !== "string" || !path.startsWith("/"))
    throw new TypeError(`a path that begins with "/" expected, ${String(path)} found`);
}

export const ANY_VERSION = -1;
