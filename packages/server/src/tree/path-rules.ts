/**
 * Paths as bytes. A server compares, stores and echoes paths and never needs them as text; these are
 * ZooKeeper's rules for valid ones (`PathUtils.validatePath`, on UTF-16 units) stated on UTF-8.
 */
const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Whether `[start, end)` is a valid path: from "/" on, no empty, "." or ".." component, no trailing
 * slash, no control characters, surrogates, private use or U+FFF0..U+FFFF. Malformed UTF-8 reads as
 * U+FFFD in Java, which is in that last range: invalid too.
 */
export function isValidPath(bytes: Uint8Array, start: number, end: number): boolean {
  if (end <= start || bytes[start] !== SLASH) return false;
  if (end - start === 1) return true;
  if (bytes[end - 1] === SLASH) return false;
  let componentStart = start + 1;
  let i = start + 1;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte === SLASH) {
      if (!isValidComponent(bytes, componentStart, i)) return false;
      componentStart = i + 1;
      i += 1;
    } else if (byte < 0x80) {
      if (byte < 0x20 || byte === 0x7f) return false;
      i += 1;
    } else {
      const length = validCharacterBytes(bytes, i, end);
      if (length === 0) return false;
      i += length;
    }
  }
  return isValidComponent(bytes, componentStart, end);
}

function isValidComponent(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0) return false;
  if (bytes[start] !== DOT) return true;
  return !(length === 1 || (length === 2 && bytes[start + 1] === DOT));
}

/** The length of the allowed non-ASCII character at `i`, 0 where it is malformed or not allowed. */
function validCharacterBytes(bytes: Uint8Array, i: number, end: number): number {
  const first = bytes[i]!;
  if (first >= 0xc2 && first <= 0xdf) {
    if (i + 1 >= end || !isContinuation(bytes[i + 1]!)) return 0;
    const code = ((first & 0x1f) << 6) | (bytes[i + 1]! & 0x3f);
    return code < 0xa0 ? 0 : 2; // U+0080..U+009F
  }
  if (first >= 0xe0 && first <= 0xef) {
    if (i + 2 >= end || !isContinuation(bytes[i + 1]!) || !isContinuation(bytes[i + 2]!)) return 0;
    const code = ((first & 0x0f) << 12) | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f);
    if (code < 0x800) return 0; // an overlong form
    return (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0 ? 0 : 3;
  }
  return 0; // above U+FFFF two surrogates in Java, else malformed
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** What create and delete ask of a path before anything else: that there is a slash, and no NUL. */
export function hasSlashAndNoNul(bytes: Uint8Array, start: number, end: number): boolean {
  let slash = false;
  for (let i = start; i < end; i++) {
    if (bytes[i] === SLASH) slash = true;
    else if (bytes[i] === 0) return false;
  }
  return slash;
}

export function hasNul(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] === 0) return true;
  return false;
}

/** Where the last slash is: the parent's path is what stands before it (empty: the root). */
export function lastSlash(bytes: Uint8Array, start: number, end: number): number {
  let i = end - 1;
  while (i > start && bytes[i] !== SLASH) i -= 1;
  return i;
}

const SYSTEM_PREFIX = [0x2f, 0x7a, 0x6f, 0x6f, 0x6b, 0x65, 0x65, 0x70, 0x65, 0x72, 0x2f];

/** Whether it lies below /zookeeper, which no digest covers. */
export function isSystemPath(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < SYSTEM_PREFIX.length) return false;
  for (let i = 0; i < SYSTEM_PREFIX.length; i++) if (bytes[start + i] !== SYSTEM_PREFIX[i]) return false;
  return true;
}
