/**
 * The smallest ZooKeeper client there is: it opens a session and closes it again. Servers accept TCP
 * connections before they serve (while they load their data, while they have no leader), so a session
 * that was really opened is the only answer that counts. Written out in bytes on purpose: the judge of
 * a server's first answer must not share code with that server.
 */
import { connect } from "node:net";

const attemptMs = 2_000;
const sessionTimeoutMs = 4_000;

function connectRequest(): Buffer {
  const frame = Buffer.alloc(49);
  frame.writeInt32BE(45, 0);
  frame.writeInt32BE(sessionTimeoutMs, 16);
  frame.writeInt32BE(16, 28);
  return frame;
}

function closeSessionRequest(): Buffer {
  const frame = Buffer.alloc(12);
  frame.writeInt32BE(8, 0);
  frame.writeInt32BE(1, 4);
  frame.writeInt32BE(-11, 8);
  return frame;
}

/** Whether a session can be opened on this port of 127.0.0.1 right now; the session is closed before it resolves. */
export function opensSession(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let received = Buffer.alloc(0);
    let isOpen = false;
    socket.setTimeout(attemptMs, () => socket.destroy());
    socket.on("connect", () => socket.write(connectRequest()));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (isOpen || received.length < 12) return;
      isOpen = received.readInt32BE(8) > 0;
      if (isOpen) socket.write(closeSessionRequest());
      else socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(isOpen));
  });
}
