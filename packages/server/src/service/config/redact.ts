import { matchFileKey } from "./keys.js";

const MASK = "***";
const SECRET_NAME = /password|secret|digest|credential|token/i;

/**
 * A value as it may be printed or logged. Known secrets are masked, and so is whatever else sounds
 * like one; a known key that only sounds so (digest.enabled, a passwordPath) is shown.
 */
export function redactValue(key: string, value: string): string {
  const row = matchFileKey(key)?.row;
  const secret = row === undefined || row.family !== undefined ? SECRET_NAME.test(key) : row.kind === "secret";
  return secret && value !== "" ? MASK : value;
}

/** Settings as they may be printed or logged: of all of them only the superuser's digest is a secret. */
export function redactSettings<S extends { readonly superDigest?: string | undefined }>(settings: S): S {
  return settings.superDigest === undefined ? settings : { ...settings, superDigest: MASK };
}
