import { type OptionValue, readSettings, type ServerSettings, serverSettingsSchema } from "../service/config/index.js";

/**
 * What a server of a test may be told besides: everything but its address, its directories and its
 * ensemble. The defaults are those of a server without a configuration file, with all four-letter words.
 */
export type TestSettings = Partial<Omit<ServerSettings, "clientAddress" | "dataDir" | "dataLogDir" | "ensemble">>;

export interface TestMembership {
  readonly id: number;
  /** The port at which clients reach each of the servers, by its id. */
  readonly clientPorts: ReadonlyMap<number, number>;
}

/** @throws ZodError for a setting out of range */
export function testServerSettings(
  given: TestSettings,
  dataDir: string,
  membership: TestMembership | undefined,
): ServerSettings {
  const keys: Record<string, string> = { dataDir, tickTime: String(given.tickTimeMs ?? TICK_TIME_MS_DEFAULT) };
  if (membership !== undefined) {
    Object.assign(keys, { initLimit: "10", syncLimit: "5" });
    for (const [id, port] of membership.clientPorts)
      keys[`server.${id}`] = `${peerHost(id)}:2888:3888;127.0.0.1:${port}`;
  }
  const options: OptionValue[] = Object.entries(keys).map(([key, value]) => ({ key, value, option: key }));
  const { settings } = readSettings({
    environment: {},
    options,
    workingDirectory: "/",
    readText: () => {
      if (membership === undefined) throw new Error("a server alone has no myid");
      return String(membership.id);
    },
  });
  return serverSettingsSchema.parse({
    ...settings,
    connectionsPerAddressMax: 0,
    fourLetterWords: "*",
    preAllocBytes: 0,
    ...given,
    clientAddress: { host: "127.0.0.1", port: 0 },
  });
}

/** The name by which the servers of a test ensemble reach one another, in a network of their own. */
export function peerHost(id: number): string {
  return `server-${id}`;
}

const TICK_TIME_MS_DEFAULT = 2000;
