/**
 * What every decoder of this package throws, and all it ever throws: bytes that are not what the
 * protocol says. Bytes come from the world, so this is an ordinary error to be handled, never a bug.
 */
export class WireError extends Error {
  override readonly name = "WireError";
}
