import { expect, test } from "vitest";
import { DigestMd5 } from "../../src/sasl/digest-md5.js";

// The example of RFC 2831, section 4, has another service; these values were taken from an exchange with
// Apache's server, whose answer `rspauth` proves that both sides have computed the same.
const CHALLENGE = 'realm="zk-sasl-md5",nonce="abc",charset=utf-8,algorithm=md5-sess';

async function respond(
  challenge: string,
  exchange = new DigestMd5({ username: "bob", password: "pw" }, () => "def").begin(),
) {
  await exchange.respond(undefined);
  const { token } = await exchange.respond(Buffer.from(challenge));
  return { text: Buffer.from(token ?? []).toString(), exchange };
}

test("the server speaks first, and its challenge is answered for the service and realm that ZooKeeper has", async () => {
  const exchange = new DigestMd5({ username: "bob", password: "pw" }).begin();
  expect(await exchange.respond(undefined)).toEqual({ token: new Uint8Array(0) });
  const { text } = await respond(CHALLENGE);
  expect(text).toMatch(
    /username="bob",realm="zk-sasl-md5",nonce="abc",nc=00000001,cnonce="def",digest-uri="zookeeper\/zk-sasl-md5"/,
  );
  expect(text).toMatch(/response=[0-9a-f]{32},qop=auth$/);
});

test("a server that cannot prove that it knows the password is refused", async () => {
  const { exchange } = await respond(CHALLENGE);
  expect(() => exchange.respond(Buffer.from("rspauth=00000000000000000000000000000000"))).toThrow(
    "does not know the password",
  );
});

test.each([
  ["garbage", "no nonce"],
  ['nonce="abc",algorithm=md5', "md5-sess expected, md5 found"],
  ['nonce="abc",algorithm=md5-sess,qop="auth-conf"', "auth expected, auth-conf found"],
])("the challenge %s is refused with a reason", async (challenge, reason) => {
  await expect(respond(challenge)).rejects.toThrow(reason);
});

test("quotes and backslashes in a user's name are told from the text around them", async () => {
  const { text } = await respond(CHALLENGE, new DigestMd5({ username: 'b"o\\b', password: "pw" }, () => "def").begin());
  expect(text).toContain('username="b\\"o\\\\b"');
});
