import type { Client } from "@watchkeeper/client";
import { CliError } from "./cli-error.js";

/** Resolves when the user has had enough (Ctrl-C or a SIGTERM). */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      resolve();
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  });
}

/** Keeps an ephemeral node until the user has had enough, or says that its session is over. */
export async function untilInterrupted(client: Client, path: string): Promise<void> {
  process.stderr.write(`${path} lives until Ctrl-C\n`);
  const lost = new Promise<never>((_, reject) => {
    client.onState((state) => {
      if (state === "lost")
        reject(new CliError("noConnection", `create ${path}: the session has expired; the node is gone`));
    });
  });
  await Promise.race([interrupted(), lost]);
}
