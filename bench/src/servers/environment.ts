import { connect } from "node:net";
import { availableParallelism } from "node:os";
import type { Target } from "../load/server-connection.js";

/** What a reader must know to place a figure. No name of a machine or a person is part of it. */
export interface Environment {
  readonly date: string;
  readonly node: string;
  readonly cores: number;
  /** By the server's name, the version it told. */
  readonly servers: Readonly<Record<string, string>>;
}

export function environmentOf(servers: Readonly<Record<string, string>>): Environment {
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version.slice(1),
    cores: availableParallelism(),
    servers,
  };
}

/** One line for captions. */
export function describeEnvironment({ date, node, cores, servers }: Environment): string {
  const versions = Object.entries(servers).map(([name, version]) => `${name} ${version}`);
  return [date, ...versions, `Node ${node}`, `${cores} cores`].join(" · ");
}

/** Asks a running server for its version, by the four-letter word `srvr`. */
export async function versionOf(target: Target): Promise<string> {
  return parseVersion(await fourLetterWord(target, "srvr"));
}

/** Watchkeeper names the release it is compatible with first and itself after that. */
export function parseVersion(answer: string): string {
  return /version: (?:\S*watchkeeper-)?([\d.]+)/.exec(answer)?.[1] ?? "of unknown version";
}

/** Rejects where nobody listens. */
export function fourLetterWord(target: Target, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target });
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      answer += text;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
    socket.write(word);
  });
}
