import { expect, test } from "vitest";
import { redactSettings, redactValue } from "../../../src/service/config/redact.js";
import { MINIMAL, readZooCfg, warningsOf } from "./read-zoo-cfg.js";

test.each([
  ["ssl.keyStore.password", "hunter2", "***"],
  ["zookeeper.ssl.quorum.trustStore.password", "hunter2", "***"],
  ["DigestAuthenticationProvider.superDigest", "super:x", "***"],
  ["SASLAuthenticationProvider.superPassword", "hunter2", "***"],
  ["metricsProvider.ssl.keyStore.password", "hunter2", "***"],
  ["my.own.Secret", "hunter2", "***"],
  ["javax.net.ssl.keyStorePassword", "hunter2", "***"],
  ["ssl.keyStore.password", "", ""],
  ["ssl.keyStore.passwordPath", "/etc/secret", "/etc/secret"],
  ["digest.enabled", "false", "false"],
  ["DigestAuthenticationProvider.digestAlg", "SHA-256", "SHA-256"],
  ["connection_throttle_tokens", "5", "5"],
  ["clientPort", "2181", "2181"],
])("%s=%s is shown as %j", (key, value, shown) => {
  expect(redactValue(key, value)).toBe(shown);
});

test("settings are printed without the superuser's digest, and are otherwise as they are", () => {
  const { settings } = readZooCfg(`${MINIMAL}DigestAuthenticationProvider.superDigest=super:abc=`);
  expect(redactSettings(settings)).toEqual({ ...settings, superDigest: "***" });
  expect(redactSettings(readZooCfg(MINIMAL).settings)).not.toHaveProperty("superDigest");
});

test("a warning about a secret does not show it, nor the value of a key that nobody knows", () => {
  const warnings = warningsOf("metricsProvider.ssl.keyStore.password=hunter2\nmy.password=hunter2");
  expect(warnings).toHaveLength(2);
  expect(JSON.stringify(warnings)).not.toContain("hunter2");
});
