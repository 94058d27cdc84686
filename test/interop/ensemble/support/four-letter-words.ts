/** What servers answer to four-letter words, as far as the ensemble tests read it. */
import { connect } from "node:net";

const ANSWER_MS_MAX = 2_000;

/** The answer, or undefined where there is none: the server is down, paused, or not listening yet. */
export function fourLetterWord(port: number, word: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let answer = "";
    let failed = false;
    socket.setEncoding("latin1");
    socket.setTimeout(ANSWER_MS_MAX, () => {
      failed = true;
      socket.destroy();
    });
    socket.on("connect", () => socket.write(word));
    socket.on("data", (text) => {
      answer += text;
    });
    socket.on("error", () => {
      failed = true;
    });
    socket.on("close", () => resolve(failed || answer === "" ? undefined : answer));
  });
}

export type Mode = "leader" | "follower" | "observer" | "standalone" | "read-only";

export interface ServerView {
  readonly mode: Mode;
  /** The last txn applied to the tree. */
  readonly zxid: number;
}

/** What `srvr` tells of a server that serves; undefined of one that does not. */
export async function viewOf(port: number): Promise<ServerView | undefined> {
  const answer = await fourLetterWord(port, "srvr");
  const mode = /^Mode: (.+)$/m.exec(answer ?? "")?.[1];
  const zxid = /^Zxid: 0x([0-9a-f]+)$/m.exec(answer ?? "")?.[1];
  if (mode === undefined || zxid === undefined) return undefined;
  return { mode: mode as Mode, zxid: Number(`0x${zxid}`) };
}

/** The figures of `mntr` by name. */
export async function countersOf(port: number): Promise<ReadonlyMap<string, string>> {
  const lines = ((await fourLetterWord(port, "mntr")) ?? "").split("\n");
  return new Map(lines.map((line) => line.split("\t") as [string, string]));
}

/** The digests of `hash`: of the tree after every 128th zxid, by zxid. */
export async function digestsOf(port: number): Promise<ReadonlyMap<string, string>> {
  const lines = ((await fourLetterWord(port, "hash")) ?? "").trim().split("\n");
  return new Map(lines.filter((line) => line !== "").map((line) => line.split(":") as [string, string]));
}

export interface SessionDump {
  readonly sessions: readonly string[];
  /** `session path`, sorted. */
  readonly ephemerals: readonly string[];
}

/** What `dump` tells: a leader prints its sessions otherwise than a learner, the ids are read from both. */
export async function sessionsOf(port: number): Promise<SessionDump> {
  const answer = (await fourLetterWord(port, "dump")) ?? "";
  const [sessionPart = "", ephemeralPart = ""] = answer
    .split(/^Connections dump:/m)[0]!
    .split(/^ephemeral nodes dump:/m);
  const sessions = new Set([...sessionPart.matchAll(/\b0x([0-9a-f]+)\b/g)].map((match) => match[1]!));
  const ephemerals: string[] = [];
  let owner = "";
  for (const line of ephemeralPart.split("\n")) {
    const id = /^0x([0-9a-f]+):$/.exec(line.trim())?.[1];
    if (id !== undefined) owner = id;
    else if (line.startsWith("\t")) ephemerals.push(`${owner} ${line.trim()}`);
  }
  return { sessions: [...sessions].sort(), ephemerals: ephemerals.sort() };
}
