import { readFileSync } from "node:fs";

interface GoldenFrame {
  readonly name: string;
  readonly hex: string;
}

/** A frame recorded from a real client or server, without its length. */
export function goldenFrame(name: string): Uint8Array {
  const file = new URL("../../../test/golden/client-protocol.json", import.meta.url);
  const { captured } = JSON.parse(readFileSync(file, "utf8")) as { captured: GoldenFrame[] };
  const found = captured.find((frame) => frame.name === name);
  if (found === undefined) throw new Error(`no golden frame ${name}`);
  return Uint8Array.from(Buffer.from(found.hex, "hex"));
}
