/** What is asked of one server at the end of a run, for its digest: nothing here is compared with the other one. */
import { connect } from "node:net";
import * as wire from "@watchkeeper/wire";
import type { Side } from "./lockstep.js";
import { makeRequest } from "./request.js";
import type { ReadNode } from "./tree-digest.js";

/** The latest digest that the server has noted, by the four-letter word `hash`. */
export async function lastDigest(port: number): Promise<bigint> {
  const lines = (await fourLetterWord(port, "hash")).trim().split("\n");
  const last = lines.at(-1) ?? "";
  return BigInt.asUintN(64, BigInt(last.slice(last.indexOf(":") + 1).trim()));
}

function fourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(word);
  });
}

/** The nodes at these paths, as one server has them, times and session ids included. */
export async function readNodes(side: Side, client: number, paths: readonly string[]): Promise<ReadNode[]> {
  const requests = paths.map((path) => makeRequest(1, wire.OP.getData, { path, watch: false }));
  const frames = await side.exchangeFrames(client, requests);
  return paths.map((path, i) => {
    const reader = new wire.ByteReader(frames[i]!, wire.REPLY_HEADER_BYTES);
    const { data, stat } = wire.getDataResponse.decode(reader);
    return { path, data, stat };
  });
}
