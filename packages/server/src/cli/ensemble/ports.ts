import { createServer } from "node:net";
import { CliError } from "../cli-error.js";
import { HOST, type PeerPorts, type ServerPlace } from "./layout.js";

/** Where a ZooKeeper's ports usually begin. */
const USUAL = { clientPort: 2181, quorumPort: 2888, electionPort: 3888 };

/** The usual ports where all of them are free, else any that are. */
export async function freePorts(count: number): Promise<PeerPorts[]> {
  const usual = Array.from({ length: count }, (_, index) => ({
    clientPort: USUAL.clientPort + index,
    quorumPort: USUAL.quorumPort + index,
    electionPort: USUAL.electionPort + index,
  }));
  if ((await busyPort(usual)) === undefined) return usual;
  const ports = await anyFreePorts(3 * count);
  return portsFrom(count, (index) => ports[index]!);
}

/** `basePort` and those above it: first for clients, then for the quorum, then for elections. */
export async function portsAt(basePort: number, count: number): Promise<PeerPorts[]> {
  const last = basePort + 3 * count - 1;
  if (basePort < 1 || last > 65_535) {
    throw new CliError("usage", `--base-port ${basePort}: ports ${basePort} to ${last} are needed, from 1 to 65535`);
  }
  const ports = portsFrom(count, (index) => basePort + index);
  const busy = await busyPort(ports);
  if (busy === undefined) return ports;
  throw new CliError("failure", `port ${busy} is in use by another program: choose another --base-port`);
}

function portsFrom(count: number, port: (index: number) => number): PeerPorts[] {
  return Array.from({ length: count }, (_, index) => ({
    clientPort: port(index),
    quorumPort: port(count + index),
    electionPort: port(2 * count + index),
  }));
}

/** Ports that belong to the ensemble already must be free, or its servers could not start. */
export async function checkPorts(places: readonly ServerPlace[], directory: string): Promise<void> {
  for (const place of places) {
    const busy = await busyPort([place]);
    if (busy === undefined) continue;
    throw new CliError(
      "failure",
      `port ${busy} of server ${place.id} is in use by another program, perhaps by this very ensemble: stop it, ` +
        `or give the servers in ${directory} other ports with --base-port`,
    );
  }
}

async function busyPort(all: readonly PeerPorts[]): Promise<number | undefined> {
  for (const { clientPort, quorumPort, electionPort } of all) {
    for (const port of [clientPort, quorumPort, electionPort]) {
      const held = await hold(port);
      if (held === undefined) return port;
      await held.release();
    }
  }
  return undefined;
}

async function anyFreePorts(count: number): Promise<number[]> {
  const held = [];
  for (let i = 0; i < count; i++) held.push((await hold(0))!);
  const ports = held.map(({ port }) => port);
  for (const each of held) await each.release(); // all at the end, so that none is given twice
  return ports;
}

interface Held {
  readonly port: number;
  release(): Promise<void>;
}

function hold(port: number): Promise<Held | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, HOST, () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : port,
        release: () => new Promise((released) => server.close(() => released())),
      });
    });
  });
}
