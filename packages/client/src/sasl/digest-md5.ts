import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { SaslExchange, SaslMechanism, SaslResponse } from "./sasl-mechanism.js";

/** As in the `Server` section of the servers' JAAS file, `user_<name>="<password>"`. */
export interface DigestMd5Credentials {
  readonly username: string;
  readonly password: string;
}

/** ZooKeeper's servers accept no other realm and address. */
const SERVICE = "zookeeper";
const SERVER_NAME = "zk-sasl-md5";
const NONCE_COUNT = "00000001";

/**
 * DIGEST-MD5 (RFC 2831) as ZooKeeper's servers speak it: realm and host are "zk-sasl-md5", the quality
 * of protection is "auth". The server must prove that it knows the password too.
 */
export class DigestMd5 implements SaslMechanism {
  readonly name = "DIGEST-MD5";
  /** Plain data, so that it can be handed to the thread of the connection. */
  readonly credentials: DigestMd5Credentials;
  private readonly newNonce: () => string;

  constructor(credentials: DigestMd5Credentials, newNonce = () => randomBytes(24).toString("base64")) {
    this.credentials = credentials;
    this.newNonce = newNonce;
  }

  begin(): SaslExchange {
    const { credentials, newNonce } = this;
    let proof: string | undefined;
    return {
      respond(token): SaslResponse {
        if (token === undefined) return { token: new Uint8Array(0) }; // the server speaks first
        const directives = parseDirectives(token === null ? "" : Buffer.from(token).toString("utf8"));
        if (proof !== undefined) {
          verify(directives, proof);
          return {};
        }
        const answer = answerChallenge(directives, credentials, newNonce());
        proof = answer.proof;
        return { token: Buffer.from(answer.text, "utf8") };
      },
    };
  }
}

/** SASL DIGEST-MD5, for the `sasl` option of `connect`. The server must prove that it knows the password too. */
export function digestMd5(credentials: DigestMd5Credentials): SaslMechanism {
  return new DigestMd5(credentials);
}

function answerChallenge(
  challenge: ReadonlyMap<string, string>,
  { username, password }: DigestMd5Credentials,
  cnonce: string,
): { text: string; proof: string } {
  const nonce = challenge.get("nonce");
  if (nonce === undefined) throw new Error("the challenge has no nonce");
  const algorithm = challenge.get("algorithm");
  if (algorithm !== "md5-sess") throw new Error(`algorithm md5-sess expected, ${algorithm ?? "none"} found`);
  const qops = challenge.get("qop")?.split(",") ?? ["auth"];
  if (!qops.includes("auth")) throw new Error(`quality of protection auth expected, ${qops.join(",")} found`);
  const realm = challenge.get("realm") ?? SERVER_NAME;
  const uri = `${SERVICE}/${SERVER_NAME}`;
  const secret = md5(`${username}:${realm}:${password}`);
  const a1 = md5(Buffer.concat([secret, Buffer.from(`:${nonce}:${cnonce}`)])).toString("hex");
  const hash = (a2: string): string =>
    md5(`${a1}:${nonce}:${NONCE_COUNT}:${cnonce}:auth:${md5(a2).toString("hex")}`).toString("hex");
  const text = [
    "charset=utf-8",
    `username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `nc=${NONCE_COUNT}`,
    `cnonce=${quoted(cnonce)}`,
    `digest-uri=${quoted(uri)}`,
    "maxbuf=65536",
    `response=${hash(`AUTHENTICATE:${uri}`)}`,
    "qop=auth",
  ].join(",");
  return { text, proof: hash(`:${uri}`) };
}

function verify(directives: ReadonlyMap<string, string>, proof: string): void {
  const found = Buffer.from(directives.get("rspauth") ?? "");
  const expected = Buffer.from(proof);
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) {
    throw new Error("the server does not know the password");
  }
}

/** `name=value,name="quoted \"value\""`, as RFC 2831 has it. */
function parseDirectives(text: string): Map<string, string> {
  const directives = new Map<string, string>();
  const pattern = /\s*([A-Za-z0-9-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,\s]*))\s*(?:,|$)/gy;
  for (let match = pattern.exec(text); match !== null && match[0] !== ""; match = pattern.exec(text)) {
    const value = match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "";
    directives.set(match[1]!.toLowerCase(), value);
  }
  return directives;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function md5(text: string | Uint8Array): Buffer {
  return createHash("md5").update(text).digest();
}
