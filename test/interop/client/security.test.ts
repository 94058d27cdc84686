import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestMd5 } from "../../../packages/client/dist/index.js";
import { reservePort } from "../../support/ports.js";
import type { ServerProcess } from "../support/server-process.js";
import { clientOf } from "./rigs.js";
import { startSecureApache } from "./secure-apache.js";

const PASSWORD = "test-store";
let directory: string;
let server: ServerProcess;
let securePort: number;

/** A certificate authority, a server's certificate for localhost, and a client's. */
function makeCertificates(): void {
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: directory, stdio: "ignore" });
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=Test CA",
  );
  writeFileSync(join(directory, "names.cnf"), "subjectAltName=DNS:localhost\n");
  for (const name of ["server", "client"]) {
    openssl(
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-out",
      `${name}.pem`,
      "-extfile",
      "names.cnf",
    );
  }
  openssl(
    "pkcs12",
    "-export",
    "-in",
    "server.pem",
    "-inkey",
    "server.key",
    "-out",
    "server.p12",
    "-passout",
    `pass:${PASSWORD}`,
  );
  execFileSync(
    "keytool",
    [
      "-importcert",
      "-noprompt",
      "-alias",
      "ca",
      "-file",
      "ca.pem",
      "-keystore",
      "trust.p12",
      "-storetype",
      "PKCS12",
      "-storepass",
      PASSWORD,
    ],
    { cwd: directory, stdio: "ignore" },
  );
}

const read = (name: string): Buffer => readFileSync(join(directory, name));

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "client-security-"));
  makeCertificates();
  const jaas = join(directory, "jaas.conf");
  writeFileSync(jaas, 'Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="secret"; };\n');
  securePort = await reservePort();
  server = await startSecureApache(jaas, [
    `secureClientPort=${securePort}`,
    "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
    "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
    `ssl.keyStore.location=${join(directory, "server.p12")}`,
    `ssl.keyStore.password=${PASSWORD}`,
    "ssl.keyStore.type=PKCS12",
    `ssl.trustStore.location=${join(directory, "trust.p12")}`,
    `ssl.trustStore.password=${PASSWORD}`,
    "ssl.trustStore.type=PKCS12",
  ]);
});

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const mutual = () => ({ ca: read("ca.pem"), cert: read("client.pem"), key: read("client.key") });

test.each([false, true])("TLS with certificates on both sides (thread of its own: %s)", async (connectionThread) => {
  const client = await clientOf(`localhost:${securePort}`, { tls: mutual(), connectionThread });
  expect((await client.whoAmI()).map(({ scheme, user }) => `${scheme} ${user}`)).toContain("x509 CN=client");
  const path = `/tls-${connectionThread}`;
  await client.create(path, "x".repeat(100_000));
  expect((await client.getData(path))?.length).toBe(100_000);
});

test.each([
  [
    "a server whose certificate nobody vouches for",
    "localhost",
    () => ({ ...mutual(), ca: [] }),
    /certificate|issuer|signed/,
  ],
  ["a server that has another name", "127.0.0.1", mutual, /IP|altname|does not match/i],
])("%s is not spoken to, and the reason is said", async (_, host, tls, reason) => {
  await expect(clientOf(`${host}:${securePort}`, { tls: tls(), connectRoundsMax: 1 })).rejects.toMatchObject({
    code: "CONNECTION_LOSS",
    message: expect.stringMatching(reason),
  });
});

test("the name to be expected can be given", async () => {
  const client = await clientOf(`127.0.0.1:${securePort}`, { tls: { ...mutual(), servername: "localhost" } });
  await client.sync();
});

test("SASL DIGEST-MD5 proves who one is, on every connection", async () => {
  const client = await clientOf(server.connectString, { sasl: digestMd5({ username: "bob", password: "secret" }) });
  expect((await client.whoAmI()).map(({ scheme, user }) => `${scheme} ${user}`)).toContain("sasl bob");
  await client.create("/sasl", "x", { acl: [{ permissions: 31, scheme: "sasl", id: "bob" }] });
  const stranger = await clientOf(server.connectString);
  await expect(stranger.getData("/sasl")).rejects.toMatchObject({ code: "NO_AUTH" });
  const threaded = await clientOf(server.connectString, {
    sasl: digestMd5({ username: "bob", password: "secret" }),
    connectionThread: true,
  });
  expect(await threaded.getData("/sasl")).toEqual(Buffer.from("x"));
});

test("a wrong password ends the client", async () => {
  const sasl = digestMd5({ username: "bob", password: "wrong" });
  await expect(clientOf(server.connectString, { sasl })).rejects.toMatchObject({ code: "AUTH_FAILED" });
});

test("a mechanism of one's own can take the place of the built-in one", async () => {
  const inner = digestMd5({ username: "bob", password: "secret" });
  const asked: string[] = [];
  const client = await clientOf(server.connectString, {
    sasl: {
      name: "MINE",
      begin: (to) => {
        asked.push(`${to.host}:${to.port}`);
        const exchange = inner.begin(to);
        return { respond: async (token) => exchange.respond(token) };
      },
    },
  });
  await client.sync();
  expect(asked).toEqual([server.connectString]);
});
