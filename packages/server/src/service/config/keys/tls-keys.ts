import type { KeyRow } from "./key-row.js";
import { NO_NETTY, NO_TLS_TO_TUNE } from "./reasons.js";

/**
 * TLS, which this release does not have. Keys that ask for it (a store, a demanded certificate, a
 * revocation check, a port) refuse the start; keys that would only tune it are warnings.
 */
// biome-ignore format: a table, two lines a row
const switches = [
  { key: "sslQuorum", only: "file", kind: "boolean", default: "false", support: "security", asksFor: "TLS between servers",
    meaning: "Whether servers speak TLS to each other." },
  { key: "portUnification", only: "file", kind: "boolean", default: "false", support: "security", asksFor: "TLS between servers, beside plain text",
    meaning: "Whether the ports for other servers take TLS and plain text alike." },
  { key: "client.portUnification", kind: "looseBoolean", default: "false", support: "security", asksFor: "TLS on the client port, beside plain text",
    meaning: "Whether the client port takes TLS and plain text alike." },
  { key: "sslQuorumReloadCertFiles", only: "file", kind: "boolean", default: "false", support: "not-yet", instead: NO_TLS_TO_TUNE,
    meaning: "Whether the stores for TLS between servers are read again when they change." },
  { key: "client.certReload", kind: "looseBoolean", default: "false", support: "not-yet", instead: NO_TLS_TO_TUNE,
    meaning: "Whether the stores for TLS with clients are read again when they change." },
  { key: "fips-mode", kind: "looseBoolean", default: "true", support: "not-yet", instead: NO_TLS_TO_TUNE, same: ["true", "false"],
    meaning: "Whether TLS and SASL keep to what FIPS allows." },
  { key: "ssl.sslProvider", kind: "text", default: "JDK", support: "not-yet", instead: NO_TLS_TO_TUNE,
    meaning: "The library that does TLS with clients." },
  { key: "ssl.authProvider", kind: "text", default: "x509", support: "security", asksFor: "authentication by client certificates",
    meaning: "The scheme under which a client certificate authenticates." },
  { key: "netty.server.outstandingHandshake.limit", kind: "count", default: "-1", support: "irrelevant", because: NO_NETTY,
    meaning: "How many TLS handshakes may be under way." },
  { key: "netty.server.earlyDropSecureConnectionHandshakes", kind: "looseBoolean", default: "false", support: "irrelevant", because: NO_NETTY,
    meaning: "Whether a TLS connection is dropped before its handshake where it would be refused after it." },
  { key: "netty.advancedFlowControl.enabled", kind: "looseBoolean", default: "false", support: "irrelevant", because: NO_NETTY,
    meaning: "Whether Netty reads one request at a time." },
] as const satisfies readonly KeyRow[];

function storeKeys(prefix: string, store: string, holds: string, where: string): KeyRow[] {
  const asking = { support: "security", asksFor: `TLS ${where}`, default: "" } as const;
  // biome-ignore format: a table, two lines a row
  return [
    { key: `${prefix}${store}.location`, kind: "path", ...asking,
      meaning: `The file with ${holds} for TLS ${where}.` },
    { key: `${prefix}${store}.password`, kind: "secret", ...asking,
      meaning: `The password of the file with ${holds} for TLS ${where}.` },
    { key: `${prefix}${store}.passwordPath`, kind: "path", ...asking,
      meaning: `A file with the password of the file with ${holds} for TLS ${where}.` },
    { key: `${prefix}${store}.type`, kind: "text", default: "", support: "not-yet", instead: NO_TLS_TO_TUNE,
      meaning: `The format of the file with ${holds} for TLS ${where}: JKS, PKCS12, PEM or BCFKS.` },
  ];
}

function contextKeys(prefix: string, where: string, clientHostnames: "true" | "false"): KeyRow[] {
  const asking = { support: "security", asksFor: `TLS ${where}` } as const;
  const tuning = { support: "not-yet", instead: NO_TLS_TO_TUNE } as const;
  // biome-ignore format: a table, two lines a row
  return [
    ...storeKeys(prefix, "keyStore", "the server's key and certificate", where),
    ...storeKeys(prefix, "trustStore", "the trusted certificates", where),
    { key: `${prefix}context.supplier.class`, kind: "className", default: "", ...asking,
      meaning: `A Java class that supplies the TLS context ${where}.` },
    { key: `${prefix}clientAuth`, kind: "text", default: "need", ...asking,
      meaning: `Whether a certificate is asked for ${where}: none, want or need.` },
    { key: `${prefix}crl`, kind: "looseBoolean", default: "false", ...asking,
      meaning: `Whether certificates are checked against revocation lists ${where}.` },
    { key: `${prefix}ocsp`, kind: "looseBoolean", default: "false", ...asking,
      meaning: `Whether certificates are checked by OCSP ${where}.` },
    { key: `${prefix}protocol`, kind: "text", default: "TLSv1.3", ...tuning,
      meaning: `The TLS version offered ${where}.` },
    { key: `${prefix}enabledProtocols`, kind: "list", default: "", ...tuning,
      meaning: `The TLS versions accepted ${where}.` },
    { key: `${prefix}ciphersuites`, kind: "list", default: "", ...tuning,
      meaning: `The cipher suites accepted ${where}.` },
    { key: `${prefix}hostnameVerification`, kind: "looseBoolean", default: "true", ...tuning,
      meaning: `Whether a certificate must name its host ${where}.` },
    { key: `${prefix}clientHostnameVerification`, kind: "looseBoolean", default: clientHostnames, ...tuning,
      meaning: `Whether the certificate of the connecting side must name its host ${where}.` },
    { key: `${prefix}allowReverseDnsLookup`, kind: "looseBoolean", default: "false", ...tuning,
      meaning: `Whether a name may be looked up by address to verify a certificate ${where}.` },
    { key: `${prefix}handshakeDetectionTimeoutMillis`, kind: "milliseconds", default: "5000", ...tuning,
      meaning: `How long a port that takes both waits to see whether TLS begins, ${where}.` },
  ];
}

/** Longer prefix first, so that documentation keeps the two groups apart. */
export const tlsKeys: readonly KeyRow[] = [
  ...switches,
  ...contextKeys("ssl.quorum.", "between servers", "true"),
  ...contextKeys("ssl.", "with clients", "false"),
];
