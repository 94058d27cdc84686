/** The tree digest as a running server has it: servers tell it at every 128th zxid, by the word `hash`. */
import { connect } from "node:net";
import { opcode, versionBody } from "./jute.js";
import type { RawClient } from "./raw-client.js";

const ZXIDS_BETWEEN = 128n;

/** Spends zxids on writes that fail, which leave the tree as it is, up to the next one that is told. */
export async function digestOfServer(client: RawClient, port: number): Promise<string> {
  let zxid = 0n;
  do {
    zxid = (await client.request(opcode.delete, versionBody("/no-such-node-in-this-tree"))).zxid;
  } while (zxid % ZXIDS_BETWEEN !== 0n);
  const lines = (await fourLetterWord(port, "hash")).trim().split("\n");
  const line = lines.find((candidate) => BigInt(`0x${candidate.split(":")[0]}`) === zxid);
  if (line === undefined)
    throw new Error(`the server tells no digest for zxid 0x${zxid.toString(16)}: ${lines.join(" | ")}`);
  return line.split(":")[1]!.trim();
}

/** What a server has counted under a name in `mntr`; undefined where it does not count that. */
export async function countedByServer(port: number, name: string): Promise<string | undefined> {
  const lines = (await fourLetterWord(port, "mntr")).split("\n");
  return lines.find((line) => line.startsWith(`${name}\t`))?.split("\t")[1];
}

export function fourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let answer = "";
    socket.setEncoding("latin1");
    socket.setTimeout(5000, () => socket.destroy(new Error(`no answer to ${word} within 5 s`)));
    socket.on("connect", () => socket.write(word));
    socket.on("data", (text) => {
      answer += text;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}
