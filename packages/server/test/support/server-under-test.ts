import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, type ConnectOptions, connect } from "@watchkeeper/client";
import { onTestFinished } from "vitest";
import { type CreateServerOptions, createServer, type Server } from "../../src/service/index.js";
import { KeptLines } from "../../src/testing/kept-lines.js";
import { handshakeFrame, RawConnection, requestFrame } from "./raw-connection.js";

export type ServerOptions = Partial<Omit<CreateServerOptions, "port" | "host" | "logger">>;

/** A server of its own for one test: on a free port, in a directory that goes with the test. */
export class ServerUnderTest {
  readonly dataDir: string;
  readonly log = new KeptLines();
  server!: Server;
  private readonly options: ServerOptions;

  constructor(options: ServerOptions) {
    this.options = options;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "watchkeeper-test-"));
  }

  get port(): number {
    return this.server.address.port;
  }

  async start(port = 0): Promise<void> {
    this.server = await createServer({
      preAllocBytes: 64 << 10,
      fourLetterWords: "*",
      ...this.options,
      dataDir: this.dataDir,
      port,
      logger: this.log,
    });
  }

  /** Stops, and starts again on the same port with what is on the disk. */
  async restart(): Promise<void> {
    const { port } = this;
    await this.server.close();
    await this.start(port);
  }

  async client(options: ConnectOptions & { port?: number } = {}): Promise<Client> {
    const { port = this.port, ...rest } = options;
    const client = await connect(`127.0.0.1:${port}`, { reconnectDelayMsMax: 5, ...rest });
    onTestFinished(() => client.close());
    return client;
  }

  /** A connection without a session yet. */
  async socket(): Promise<RawConnection> {
    const connection = await RawConnection.open(this.port);
    onTestFinished(() => connection.destroy());
    return connection;
  }

  /** A connection with a session, past its handshake. */
  async raw(timeoutMs = 10_000): Promise<RawConnection> {
    const connection = await this.socket();
    await connection.handshake({ timeoutMs });
    return connection;
  }

  /**
   * Ends a client's session behind its back. It is taken over and closed in one write: a client that is quick to
   * come back to its session finds no moment between the two in which it could take it over again.
   */
  async endSession({ session }: Client): Promise<void> {
    const connection = await this.socket();
    const { id: sessionId, password } = session;
    connection.write(Buffer.concat([handshakeFrame({ sessionId, password }), requestFrame(1, "closeSession")]));
    await connection.untilClosed();
  }

  /** The answer to a four-letter word. */
  async word(word: string): Promise<string> {
    const connection = await this.socket();
    connection.write(Buffer.from(word, "latin1"));
    return (await connection.untilClosed()).toString("latin1");
  }

  /** A number of `mntr`. */
  async figure(name: string): Promise<number> {
    const line = (await this.word("mntr")).split("\n").find((one) => one.startsWith(`zk_${name}\t`));
    if (line === undefined) throw new Error(`mntr has no zk_${name}`);
    return Number(line.split("\t")[1]);
  }

  /** The last zxid that was given out, as `srvr` has it. */
  async zxid(): Promise<number> {
    return Number(/^Zxid: (0x[0-9a-f]+)$/m.exec(await this.word("srvr"))?.[1]);
  }

  /** The bytes of all log files, by name. */
  logBytes(): Map<string, string> {
    const directory = join(this.dataDir, "version-2");
    const names = readdirSync(directory).filter((name) => name.startsWith("log."));
    return new Map(names.map((name) => [name, readFileSync(join(directory, name)).toString("base64")]));
  }
}

export async function serve(options: ServerOptions = {}): Promise<ServerUnderTest> {
  const server = new ServerUnderTest(options);
  await server.start();
  onTestFinished(async () => {
    await server.server.close();
    rmSync(server.dataDir, { recursive: true, force: true });
  });
  return server;
}
