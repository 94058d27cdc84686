import { describe, expect, test } from "vitest";
import { keyTable } from "../../../src/service/config/keys.js";
import { errorOf, MINIMAL, readWithoutFile, readZooCfg, warningsOf } from "./read-zoo-cfg.js";

const SASL_PROVIDER = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider";

/** For each key that asks for protection: a value that does, and a word of what the refusal must name. */
const ASKING: Readonly<Record<string, readonly [string, string]>> = {
  secureClientPort: ["2281", "TLS port for clients"],
  secureClientPortAddress: ["10.0.0.1", "TLS port for clients"],
  "authProvider.X": [SASL_PROVIDER, "authentication provider"],
  "SASLAuthenticationProvider.superPassword": ["hunter2", "SASL"],
  superUser: ["root", "SASL"],
  "superUser.SUFFIX": ["root", "SASL"],
  "X509AuthenticationProvider.superUser": ["CN=root", "client certificates"],
  sessionRequireClientSASLAuth: ["true", "SASL"],
  "enforce.auth.enabled": ["true", "authentication of every client"],
  "enforce.auth.schemes": ["digest", "authentication of every client"],
  letAnySaslUserDoX: ["x", "SASL"],
  "java.security.auth.login.config": ["/etc/jaas.conf", "JAAS file"],
  "quorum.auth.enableSasl": ["true", "SASL authentication between servers"],
  "quorum.auth.learnerRequireSasl": ["true", "SASL authentication between servers"],
  "quorum.auth.serverRequireSasl": ["true", "SASL authentication between servers"],
  sslQuorum: ["true", "TLS between servers"],
  portUnification: ["true", "TLS between servers"],
  "client.portUnification": ["true", "TLS on the client port"],
  "ssl.authProvider": ["x509", "client certificates"],
  ...contextKeys("ssl.", "TLS with clients"),
  ...contextKeys("ssl.quorum.", "TLS between servers"),
};

function contextKeys(prefix: string, names: string): Record<string, readonly [string, string]> {
  const stores = ["keyStore", "trustStore"].flatMap((store) => [
    [`${prefix}${store}.location`, ["/etc/store.jks", names]] as const,
    [`${prefix}${store}.password`, ["hunter2", names]] as const,
    [`${prefix}${store}.passwordPath`, ["/etc/secret", names]] as const,
  ]);
  return Object.fromEntries([
    ...stores,
    [`${prefix}context.supplier.class`, ["com.example.Tls", names]],
    [`${prefix}clientAuth`, ["need", names]],
    [`${prefix}crl`, ["true", names]],
    [`${prefix}ocsp`, ["true", names]],
  ]);
}

/** A name that a member of a family could have. */
const nameOf = (key: string) => key.replace(/X$/, (x) => (key === "authProvider.X" ? "1" : x)).replace("SUFFIX", "2");

describe("what was meant to be closed never runs open", () => {
  test("every key of the table that asks for protection is tried here", () => {
    const asking = keyTable.filter(({ support }) => support === "security").map(({ key }) => key);
    expect(Object.keys(ASKING).sort()).toEqual(asking.sort());
  });

  test.each(Object.entries(ASKING))("%s in the file refuses the start", (key, [value, names]) => {
    const name = nameOf(key);
    const error = errorOf(() => readZooCfg(`${MINIMAL}${name}=${value}`));
    expect(error).toMatchObject({ code: "SECURITY", exitCode: 2, facts: { file: "zoo.cfg", line: 3, key: name } });
    expect(error.message).toMatch(new RegExp(`^zoo.cfg line 3: ${name}=.* asks for .*${names}`));
    expect(error.message).toContain("does not start rather than run open what was meant to be closed");
    expect(error.message).not.toContain("hunter2");
  });

  test.each(Object.entries(ASKING))("%s as a JVM flag refuses the start", (key, [value]) => {
    const property = key === "java.security.auth.login.config" ? key : `zookeeper.${nameOf(key)}`;
    const environment = { SERVER_JVMFLAGS: `-D${property}=${value}` };
    expect(errorOf(() => readWithoutFile({ environment })).message).toMatch(/^SERVER_JVMFLAGS: /);
    expect(errorOf(() => readZooCfg(MINIMAL, { environment })).code).toBe("SECURITY");
  });

  test("a server line with a port for TLS refuses the start", () => {
    const error = errorOf(() => readZooCfg(`${MINIMAL}server.1=a:2888:3888;2181;2281`));
    expect(error).toMatchObject({ code: "SECURITY", facts: { line: 3 } });
  });

  test("a switch that no one can read is not taken for off", () => {
    expect(errorOf(() => readZooCfg(`${MINIMAL}enforce.auth.enabled=yes`)).code).toBe("SECURITY");
    expect(errorOf(() => readZooCfg(`${MINIMAL}sslQuorum=yes`)).code).toBe("MALFORMED");
  });

  test("a custom authentication provider is refused, one that is built in is not", () => {
    expect(errorOf(() => readZooCfg(`${MINIMAL}authProvider.1=com.example.Corporate`)).code).toBe("SECURITY");
    const builtIn = "org.apache.zookeeper.server.auth.DigestAuthenticationProvider";
    expect(warningsOf(`authProvider.1=${builtIn}`)).toEqual([]);
  });
});

describe("what turns nothing on is fine", () => {
  test.each([
    "sslQuorum=false",
    "portUnification=FALSE",
    "client.portUnification=false",
    "quorum.auth.enableSasl=false\nquorum.auth.learnerRequireSasl=false\nquorum.auth.serverRequireSasl=false",
    "sessionRequireClientSASLAuth=false",
    "enforce.auth.enabled=false\nenforce.auth.schemes=sasl",
    "enforce.auth.schemes=",
    "secureClientPort=0",
    "ssl.clientAuth=none",
    "ssl.crl=false\nssl.quorum.ocsp=false",
    "ssl.keyStore.location=\nssl.keyStore.password=",
    "authProvider.1=",
  ])("%j", (lines) => {
    expect(warningsOf(lines)).toEqual([]);
  });

  test("the file may turn off what a flag turned on, as with Apache", () => {
    const environment = { JVMFLAGS: "-Dzookeeper.sessionRequireClientSASLAuth=true" };
    expect(errorOf(() => readZooCfg(MINIMAL, { environment })).code).toBe("SECURITY");
    expect(warningsOf("sessionRequireClientSASLAuth=false", { environment })).toEqual([]);
  });
});
