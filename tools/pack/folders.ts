import { join } from "node:path";
import { fileURLToPath } from "node:url";

const workspace = fileURLToPath(new URL("../..", import.meta.url));

/** Where the compiler writes the client, and what npm packs. */
export const compiled = join(workspace, "packages/client/dist");
/** Where it writes the wire format. */
export const wire = join(workspace, "packages/wire/dist");
/** Where the package is put together. */
export const packed = join(workspace, "dist/client-packed");
/** Where the compiler's output waits while the package is in its place. */
export const setAside = join(workspace, "dist/client-compiled");
