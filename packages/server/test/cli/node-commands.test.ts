import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createServer, type Server } from "../../src/service/index.js";
import { watchkeeper } from "./run-program.js";

let server: Server;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "watchkeeper-cli-"));
  server = await createServer({ dataDir: directory, port: 0 });
});

afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

test.each([
  [
    ["create", "/no/where/near", "x"],
    3,
    "create /no/where/near: its parent /no/where does not exist\n  --parents creates it too",
  ],
  [
    ["create", "/short-lived", "x", "--ttl", "5000"],
    1,
    "create /short-lived: nodes with a time to live are not allowed here\n  the servers must have extendedTypesEnabled=true",
  ],
  [
    ["create", "/mine", "x", "--acl", "auth::cdrwa"],
    2,
    'create /mine: the access control list is invalid\n  an "auth:" entry needs --auth; ' +
      '"watchkeeper help acl" shows what entries look like',
  ],
])("%s tells what is missing", async (args, code, sentence) => {
  const ended = await watchkeeper(...args, "--server", server.connectString);
  expect(ended).toEqual({ code, stdout: "", stderr: `watchkeeper: ${sentence}\n` });
});
