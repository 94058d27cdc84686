import { readFileSync } from "node:fs";

/** The ZooKeeper release whose behaviour clients may expect: tools compare this number. */
export const COMPATIBLE_VERSION = "3.9.4";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

export const WATCHKEEPER_VERSION: string = manifest.version;

/** In the form of Apache's: `x.y.z-<build>, built on <date>`. */
export const SERVER_VERSION = `${COMPATIBLE_VERSION}-watchkeeper-${WATCHKEEPER_VERSION}, built on 2026-11-23 00:00 UTC`;
