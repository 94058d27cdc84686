/**
 * One node that all lanes write to: its version counts the writes that were carried out, whoever sent
 * them. After a crash it lies between those answered and those sent.
 */
import { createBody, JuteReader, opcode, readBody, readStat, setDataBody } from "../support/jute.js";
import { RawClient } from "../support/raw-client.js";

export const KILL_ROOT = "/kill";
const PATH = `${KILL_ROOT}/shared`;
const CLIENTS = 3;

export class SharedCounter {
  private answered = 0;
  private sent = 0;

  static async create(client: RawClient): Promise<SharedCounter> {
    for (const path of [KILL_ROOT, PATH]) await client.request(opcode.create, createBody(path, Buffer.alloc(0)));
    return new SharedCounter();
  }

  /** Writes over several connections until they are lost. */
  async load(port: number): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, () => this.writeOn(port)));
  }

  private async writeOn(port: number): Promise<void> {
    const client = await RawClient.open({ port }).catch(() => undefined); // killed before it was there
    while (client?.isOpen === true) {
      this.sent += 1;
      const reply = await client
        .request(opcode.setData, setDataBody(PATH, Buffer.from(`${this.sent}`)))
        .catch(() => {});
      if (reply !== undefined) this.answered += 1;
    }
  }

  async verify(reader: RawClient): Promise<string[]> {
    const reply = await reader.request(opcode.getData, readBody(PATH));
    if (reply.err !== 0) return [`${PATH} cannot be read: error ${reply.err}`];
    const body = new JuteReader(reply.body);
    body.buffer();
    const { version } = readStat(body);
    const { answered, sent } = this;
    this.answered = version;
    this.sent = version;
    if (version >= answered && version <= sent) return [];
    return [`${PATH} has version ${version} after ${answered} acknowledged of ${sent} sent writes`];
  }
}
