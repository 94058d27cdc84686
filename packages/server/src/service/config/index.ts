/**
 * Configuration: from zoo.cfg, JVM flags and options to checked settings, and to errors and warnings
 * that name file and line. It knows every key of Apache ZooKeeper and nothing of what the settings do.
 */

export type { Address } from "../../zab/index.js";
export { ConfigError, type ConfigErrorCode, type ConfigErrorFacts, type ConfigWarning } from "./config-error.js";
export type { EnsembleSettings } from "./ensemble-settings.js";
export type { OptionValue } from "./given-values.js";
export type { Environment } from "./jvm-flags.js";
export { describeKeys, type KeyDescription } from "./keys.js";
export { type LoadSource, loadSettings } from "./load.js";
export { redactSettings } from "./redact.js";
export { type ReadSettings, readSettings } from "./settings.js";
export { type ServerSettings, serverSettingsSchema } from "./settings-schema.js";
