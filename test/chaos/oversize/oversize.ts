/** Frames at and above jute.maxbuffer, frames of no or negative length, and a reply that is larger than any frame may be. */
import { connect } from "node:net";
import { join } from "node:path";
import { startWatchkeeper } from "../../interop/support/watchkeeper.js";
import { until } from "../../support/until.js";
import type { FaultReport, Progress } from "../support/fault-report.js";
import {
  connectPayload,
  createBody,
  framed,
  JuteReader,
  JuteWriter,
  opcode,
  readBody,
  requestPayload,
  setDataBody,
} from "../support/jute.js";
import { residentMiB } from "../support/process-memory.js";
import { RawClient, succeed } from "../support/raw-client.js";
import { withTemporaryDirectory } from "../support/temporary-directory.js";

export interface OversizeOptions {
  readonly children: number;
}

const FRAME_BYTES_MAX = 1_048_575;
const HEADER_BYTES = 8;

export async function oversize({ children }: OversizeOptions, progress: Progress): Promise<FaultReport> {
  return withTemporaryDirectory("oversize", async (home) => {
    const server = await startWatchkeeper({ dataDir: join(home, "data"), configLines: ["maxClientCnxns=0"] });
    try {
      const port = server.clientPort;
      const client = await RawClient.open({ port });
      await succeed(client, opcode.create, createBody("/frame", Buffer.alloc(0)));
      const faults = [...(await frames(port, () => residentMiB(server.pid)))];
      progress("frames at the limit and above it");
      const { bytes, found } = await longReply(client, children, () => server.log());
      faults.push(...found);
      await client.close();
      return {
        summary: `limits of frames, and a reply of ${bytes} bytes with ${children} children: ${faults.length} wrong`,
        faults,
      };
    } finally {
      await server.stop("SIGKILL");
    }
  });
}

async function frames(port: number, residentMiBNow: () => number): Promise<string[]> {
  const faults: string[] = [];
  const largest = setDataFrame(FRAME_BYTES_MAX);
  const answer = await answerTo(port, largest);
  if (answer === undefined || answer.readInt32BE(12) !== 0)
    faults.push(`a frame of ${FRAME_BYTES_MAX} bytes was not accepted`);
  const refused: [string, Buffer][] = [
    [`${FRAME_BYTES_MAX + 1} bytes`, setDataFrame(FRAME_BYTES_MAX + 1)],
    ["a length of -1", new JuteWriter().int(-1).done()],
    ["a length of -2^31", new JuteWriter().int(-0x8000_0000).done()],
    ["a length of 2^31-1", new JuteWriter().int(0x7fff_ffff).done()],
    ["a length of 0", new JuteWriter().int(0).done()],
  ];
  for (const [name, bytes] of refused) {
    const before = residentMiBNow();
    const unexpected = await answerTo(port, bytes);
    if (unexpected !== undefined)
      faults.push(`${name}: answered with ${unexpected.length} bytes, where the connection was to be closed`);
    const grown = residentMiBNow() - before;
    if (grown > GROWTH_MIB_MAX) faults.push(`${name}: the server grew by ${grown} MiB`);
  }
  return faults;
}

const GROWTH_MIB_MAX = 32;

function setDataFrame(frameBytes: number): Buffer {
  const overhead = HEADER_BYTES + setDataBody("/frame", Buffer.alloc(0)).length;
  return framed(requestPayload(1, opcode.setData, setDataBody("/frame", Buffer.alloc(frameBytes - overhead, "x"))));
}

/** Sends one frame on a fresh session. @returns the reply, undefined where the server closed the connection instead */
function answerTo(port: number, frame: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let received = Buffer.alloc(0);
    let handshakeEnd = 0;
    socket.setTimeout(10_000, () => {
      socket.destroy();
      reject(new Error("neither an answer nor an end within 10 s"));
    });
    socket.on("connect", () => socket.write(framed(connectPayload(20_000))));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (handshakeEnd === 0 && received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        handshakeEnd = 4 + received.readInt32BE(0);
        socket.write(frame);
        return;
      }
      if (handshakeEnd === 0 || received.length <= handshakeEnd + 4) return;
      socket.destroy();
      resolve(received.subarray(handshakeEnd + 4));
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(undefined));
  });
}

const CHILD_NAME_BYTES = 60;
const CREATES_AT_ONCE = 500;

/** Children whose names together are more than a frame may hold: sent all the same, and logged. */
async function longReply(
  client: RawClient,
  children: number,
  log: () => string,
): Promise<{ bytes: number; found: string[] }> {
  const top = "/parent-of-many";
  await succeed(client, opcode.create, createBody(top, Buffer.alloc(0)));
  for (let first = 0; first < children; first += CREATES_AT_ONCE) {
    const count = Math.min(CREATES_AT_ONCE, children - first);
    const names = Array.from({ length: count }, (_, i) => `${first + i}`.padStart(CHILD_NAME_BYTES, "c"));
    await Promise.all(
      names.map((name) => succeed(client, opcode.create, createBody(`${top}/${name}`, Buffer.alloc(0)))),
    );
  }
  const reply = await succeed(client, opcode.getChildren, readBody(top));
  const reader = new JuteReader(reply.body);
  const names = new Set(reader.list(() => reader.text()));
  const bytes = reply.body.length + 16;
  const found: string[] = [];
  if (bytes <= FRAME_BYTES_MAX) found.push(`the reply has only ${bytes} bytes: the test proves nothing`);
  if (names.size !== children) found.push(`${names.size} of ${children} children came`);
  const isLogged = (): boolean =>
    log()
      .split("\n")
      .some((line) => line.includes(top) && line.includes(`${bytes}`));
  await until("the log to tell of the reply", isLogged).catch(() =>
    found.push(`no line of the log names ${top} and ${bytes} bytes`),
  );
  return { bytes, found };
}
