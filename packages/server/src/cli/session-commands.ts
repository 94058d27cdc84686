import { Command } from "commander";
import { addClientOptions, type ClientOptions, withClient } from "./client-session.js";
import { printable, printJson, printLine } from "./output.js";

export function syncCommand(): Command {
  const command = new Command("sync")
    .summary("wait until the server has caught up")
    .description("Wait until the server has applied every write that was answered before, to anybody.")
    .argument("[path]", "the node", "/");
  return addClientOptions(command).action((path: string, options: ClientOptions) =>
    withClient(options, async (client) => {
      await client.sync(path);
      if (options.json === true) printJson({ path, server: client.server });
    }),
  );
}

export function whoamiCommand(): Command {
  const command = new Command("whoami")
    .summary("print whom the server takes you for")
    .description("Print whom the server takes you for, one scheme:user a line. Servers since 3.7.");
  return addClientOptions(command).action((options: ClientOptions) =>
    withClient(options, async (client) => {
      const identities = await client.whoAmI();
      if (options.json === true) printJson(identities);
      else for (const { scheme, user } of identities) printLine(printable(`${scheme}:${user}`));
    }),
  );
}
