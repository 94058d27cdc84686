import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientsDirectory } from "./support/programs.js";
import type { ServerProcess } from "./support/server-process.js";
import { target } from "./support/target.js";
import { parseTranscript, renderExchanges, type Section } from "./support/transcript.js";
import { replayOneShots, replaySession, requireZkCli } from "./support/zkcli.js";

function readTranscript(file: string): Section[] {
  return parseTranscript(readFileSync(join(clientsDirectory, "zkcli", file), "utf8"));
}

describe(`zkCli against ${target.name}`, () => {
  const session = readTranscript("session.transcript");
  const oneShots = readTranscript("one-shots.transcript");
  let server: ServerProcess | undefined;
  let replayed: readonly Section[];

  beforeAll(async () => {
    requireZkCli();
    server = await target.start({ configLines: ["enforceQuota=true"] });
    replayed = await replaySession(session, server.connectString);
  });

  afterAll(() => server?.stop());

  test.each(session.map(({ title, exchanges }, index) => [title, exchanges, index] as const))(
    "%s",
    (_title, exchanges, index) => {
      expect(renderExchanges(replayed[index]?.exchanges ?? [])).toBe(renderExchanges(exchanges));
    },
  );

  test.each(oneShots.map((section) => [section.title, section] as const))("%s", async (_title, section) => {
    const { exchanges } = await replayOneShots(section, server?.connectString ?? "");
    expect(renderExchanges(exchanges)).toBe(renderExchanges(section.exchanges));
  });
});
