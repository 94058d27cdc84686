import { join } from "node:path";
import { ConfigError } from "./config-error.js";
import type { ReadText } from "./dynamic-file.js";

/** The file that tells a server which one it is. */
export interface Myid {
  readonly file: string;
  /** Undefined where there is no file. */
  readonly id: number | undefined;
}

/** A single server needs no myid; one that is there must be a number all the same, as with Apache. */
export function readMyid(dataDir: string, readText: ReadText): Myid {
  const file = join(dataDir, "myid");
  const text = textOf(file, readText);
  if (text === undefined) return { file, id: undefined };
  const found = text.split(/\r\n|\r|\n/)[0]!.trim();
  if (/^[+-]?\d+$/.test(found)) return { file, id: Number(found) };
  const message = `${file}: serverid ${found} is not a number: expected this server's number on the first line.`;
  throw new ConfigError("MALFORMED", message, { file, line: 1, expected: "this server's number", found });
}

function textOf(file: string, readText: ReadText): string | undefined {
  try {
    return readText(file);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code !== "EACCES" && code !== "EPERM") return undefined;
    const message = `${file}: this user may not read it (${code}): it tells which server of an ensemble this one is.`;
    throw new ConfigError("UNREADABLE", message, { file }, { cause });
  }
}
