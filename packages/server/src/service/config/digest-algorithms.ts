import type { ServerSettings } from "./settings-schema.js";

/** Hashes of the digest scheme by the names Java's security providers give them, which ignore case. */
const byJavaName: Readonly<Record<string, ServerSettings["digestAlgorithm"]>> = {
  SHA1: "sha1",
  "SHA-1": "sha1",
  SHA: "sha1",
  "SHA-224": "sha224",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
  "SHA-512/224": "sha512-224",
  "SHA-512/256": "sha512-256",
  "SHA3-224": "sha3-224",
  "SHA3-256": "sha3-256",
  "SHA3-384": "sha3-384",
  "SHA3-512": "sha3-512",
  MD5: "md5",
};

export const digestAlgorithmsExpected = `one of ${Object.keys(byJavaName).join(", ")}`;

export function digestAlgorithmOf(javaName: string): ServerSettings["digestAlgorithm"] | undefined {
  return byJavaName[javaName.toUpperCase()];
}
