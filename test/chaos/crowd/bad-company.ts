/** Clients that are there and do not behave: silent, slow, deaf, or stopped in the middle of a word. */
import { connect, type Socket } from "node:net";
import { addWatchBody, connectPayload, framed, opcode, readBody, requestPayload } from "../support/jute.js";

const SESSION_MS = 40_000;
const BYTE_INTERVAL_MS = 1000;
/** Large replies that pile up for those who read slowly: mostly in the kernel, which holds no more for all of them. */
const READS_AT_ONCE = 4;
/** One in so many asks for more than the kernel takes, so that output waits in the server too. */
const GLUTTON_ONE_IN = 60;
const GLUTTON_READS_AT_ONCE = 60;
/** Opening all in one moment would only test how long the kernel's queue of connections is. */
const OPENING_AT_ONCE = 250;

export type Manner = "no handshake" | "silent session" | "byte a second" | "deaf watcher" | "half a frame";

export interface Company {
  readonly open: number;
  leave(): void;
}

/** Half of them silent, the rest in equal parts. */
export function mannerOf(number: number): Manner {
  const manners: Manner[] = [
    "no handshake",
    "byte a second",
    "silent session",
    "deaf watcher",
    "no handshake",
    "half a frame",
  ];
  return manners[number % manners.length]!;
}

export async function gather(port: number, count: number, paths: { large: string; watched: string }): Promise<Company> {
  const sockets: Socket[] = [];
  const timers: NodeJS.Timeout[] = [];
  for (let i = 0; i < count; i++) {
    const reads = i % GLUTTON_ONE_IN === 1 ? GLUTTON_READS_AT_ONCE : READS_AT_ONCE;
    const opened = join(port, mannerOf(i), { ...paths, reads }, timers);
    sockets.push(opened.socket);
    if (i % OPENING_AT_ONCE === OPENING_AT_ONCE - 1) await opened.connected;
  }
  return {
    get open() {
      return sockets.filter((socket) => !socket.destroyed && !socket.connecting).length;
    },
    leave: () => {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface Opened {
  readonly socket: Socket;
  readonly connected: Promise<void>;
}

interface Wishes {
  readonly large: string;
  readonly watched: string;
  readonly reads: number;
}

function join(port: number, manner: Manner, wishes: Wishes, timers: NodeJS.Timeout[]): Opened {
  const socket = manner === "byte a second" ? slowReader(port, timers) : connect({ host: "127.0.0.1", port });
  const connected = new Promise<void>((resolve) => {
    socket.once("connect", resolve);
    socket.once("close", () => resolve());
  });
  socket.on("error", () => {});
  socket.setNoDelay(true);
  if (manner === "silent session") socket.resume();
  else if (manner !== "byte a second") socket.pause();
  const words = wordsOf(manner, wishes);
  if (words.length > 0) socket.write(Buffer.concat(words));
  return { socket, connected };
}

function wordsOf(manner: Manner, { large, watched, reads }: Wishes): Buffer[] {
  const hello = framed(connectPayload(SESSION_MS));
  const watch = framed(requestPayload(1, opcode.addWatch, addWatchBody(watched, 1)));
  const read = framed(requestPayload(1, opcode.getData, readBody(large)));
  switch (manner) {
    case "no handshake":
      return [];
    case "silent session":
      return [hello];
    case "byte a second":
      return [hello, ...Array.from({ length: reads }, () => read)];
    case "deaf watcher":
      return [hello, watch];
    case "half a frame":
      return [hello, read.subarray(0, read.length >> 1)];
  }
}

/** Node reads into a buffer of one byte, and then not again before the next second. */
function slowReader(port: number, timers: NodeJS.Timeout[]): Socket {
  const socket = connect({ host: "127.0.0.1", port, onread: { buffer: new Uint8Array(1), callback: () => false } });
  timers.push(setInterval(() => socket.resume(), BYTE_INTERVAL_MS));
  return socket;
}
