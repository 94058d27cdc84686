import { createConnection } from "node:net";

const ANSWER_BYTES_MAX = 1 << 20;

/** Says a four-letter word to a server; undefined where nobody answers in time. */
export function askWord(host: string, port: number, word: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = createConnection({ host, port });
    const timer = setTimeout(() => end(undefined), timeoutMs);
    const end = (result: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    socket.setEncoding("latin1");
    socket.on("connect", () => socket.write(word));
    socket.on("data", (text) => {
      answer += text;
      if (answer.length > ANSWER_BYTES_MAX) end(undefined);
    });
    socket.on("end", () => end(answer));
    socket.on("error", () => end(undefined));
    socket.on("close", () => end(undefined));
  });
}
