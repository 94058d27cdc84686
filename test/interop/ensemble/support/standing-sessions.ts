/**
 * Sessions that do nothing but stay, of this project's client: each has an ephemeral node and a watch,
 * and both must outlive every loss of a server.
 */
import { type Client, connect } from "@watchkeeper/client";
import { until } from "../../../support/until.js";

const SESSION_MS = 10_000;

export class StandingSession {
  readonly client: Client;
  isLost = false;
  /** Events of its one-shot watch; more than one would be a second firing. */
  fired = 0;
  private readonly ephemeral: string;
  private readonly watched: string;

  private constructor(client: Client, parent: string, id: number) {
    this.client = client;
    this.ephemeral = `${parent}/ephemeral-${id}`;
    this.watched = `${parent}/watched-${id}`;
    client.onState((state) => {
      if (state === "lost") this.isLost = true;
    });
  }

  static async open(connectString: string, parent: string, id: number): Promise<StandingSession> {
    const client = await connect(connectString, { sessionTimeoutMs: SESSION_MS, reconnectDelayMsMax: 50 });
    const session = new StandingSession(client, parent, id);
    await client.create(session.watched, "before");
    await client.create(session.ephemeral, "", { mode: "ephemeral" });
    await client.getData(session.watched, {
      watch: (event) => {
        if (event.kind !== "session") session.fired += 1;
      },
    });
    return session;
  }

  /** What is wrong with it after all that was done to the servers; `other` is somebody else's client. */
  async faults(other: Client): Promise<string[]> {
    const faults: string[] = [];
    if (this.isLost) return [`the session of ${this.ephemeral} was ended by the servers`];
    const owner = (await other.exists(this.ephemeral))?.ephemeralOwner;
    if (owner !== this.client.sessionId)
      faults.push(`${this.ephemeral} belongs to ${owner}, not to ${this.client.sessionId}`);
    if (this.fired !== 0) faults.push(`the watch on ${this.watched} fired before anything happened there`);
    await other.setData(this.watched, "after");
    await until(`the watch on ${this.watched} to fire`, () => this.fired > 0).catch((error) => faults.push(`${error}`));
    const read = await this.client.getData(this.watched);
    if (read?.toString() !== "after") faults.push(`${this.watched} was read as ${read} after its event`);
    if (this.fired > 1) faults.push(`the watch on ${this.watched} fired ${this.fired} times`);
    return faults;
  }
}
