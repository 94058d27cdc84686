/**
 * UTF-8 without Node: ZooKeeper's `ustring` contents. Java writes each UTF-16 unit on its own, so a
 * character above U+FFFF arrives as two three-byte surrogates (CESU-8), which a strict decoder turns
 * into replacement characters. Both forms are read; real UTF-8 is written.
 */
interface Decoder {
  decode(bytes: Uint8Array): string;
}
interface Encoder {
  encode(text: string): Uint8Array;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}
// WHATWG globals, present in every runtime this package meets but in no ES library file.
declare const TextDecoder: new (label: string, options: { ignoreBOM: boolean }) => Decoder;
declare const TextEncoder: new () => Encoder;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Below this many bytes a loop over character codes beats the call into the runtime's decoder. */
const LOOP_BYTES_MAX = 24;

export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  let ascii = true;
  let surrogate = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) {
      ascii = false;
      if (byte === 0xed && bytes[i + 1]! >= 0xa0) surrogate = true;
    }
  }
  if (ascii && end - start <= LOOP_BYTES_MAX) {
    let text = "";
    for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
    return text;
  }
  return surrogate ? decodeSurrogates(bytes, start, end) : decoder.decode(bytes.subarray(start, end));
}

/** Splits the text at its three-byte surrogates, which are decoded here, and hands the rest to the runtime. */
function decodeSurrogates(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let from = start;
  for (let i = start; i + 2 < end; i++) {
    if (bytes[i] !== 0xed || bytes[i + 1]! < 0xa0 || (bytes[i + 1]! & 0xc0) !== 0x80 || (bytes[i + 2]! & 0xc0) !== 0x80)
      continue;
    text += decoder.decode(bytes.subarray(from, i));
    text += String.fromCharCode(0xd000 | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f));
    i += 2;
    from = i + 1;
  }
  return text + decoder.decode(bytes.subarray(from, end));
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes the text's UTF-8 at `offset`; the caller has made room for `textBytesMax(text)`. Returns the bytes written. */
export function encodeTextInto(text: string, target: Uint8Array, offset: number): number {
  const length = text.length;
  if (length <= LOOP_BYTES_MAX * 2) {
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) break;
      target[offset + i] = code;
    }
    if (i === length) return length;
  }
  return encoder.encodeInto(text, target.subarray(offset)).written;
}

export function textBytesMax(text: string): number {
  return text.length * 3;
}

export function textBytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 4;
      i++;
    } else bytes += 3; // a lone surrogate is written as U+FFFD, three bytes as well
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
