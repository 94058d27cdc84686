import type { AclEntry } from "@watchkeeper/client";
import { Command } from "commander";
import { aclFields, formatAclEntry, parseAcl } from "./acl-text.js";
import { addClientOptions, type ClientOptions, withClient } from "./client-session.js";
import { printable, printJson, printLine } from "./output.js";

export function aclCommand(): Command {
  return new Command("acl")
    .summary("show or replace who may do what with a node")
    .description(
      `Access control lists, as scheme:id:perms, several separated by commas.

Permissions: c create children, d delete children, r read, w write, a change this list.

Schemes: world:anyone, auth: (whoever --auth proves you to be), digest:user:hash, ip:address/bits.

Children do not inherit a list.`,
    )
    .addCommand(aclGetCommand())
    .addCommand(aclSetCommand())
    .addHelpText(
      "after",
      `
Examples:
  $ watchkeeper acl get /private
  $ watchkeeper acl set /private auth::cdrwa,world:anyone:r --auth digest:ann:secret`,
    );
}

function aclGetCommand(): Command {
  const command = new Command("get")
    .description("Print a node's list, one entry a line.")
    .argument("<path>", "the node");
  return addClientOptions(command).action((path: string, options: ClientOptions) =>
    withClient(options, async (client) => {
      const { acl, stat } = await client.getAcl(path);
      if (options.json === true) printJson({ path, acl: acl.map(aclFields), aversion: stat.aversion });
      else for (const entry of acl) printLine(printable(formatAclEntry(entry)));
    }),
  );
}

function aclSetCommand(): Command {
  const command = new Command("set")
    .description("Replace a node's list.")
    .argument("<path>", "the node")
    .argument("<acl>", "scheme:id:perms,...", parseAcl);
  return addClientOptions(command).action((path: string, acl: AclEntry[], options: ClientOptions) =>
    withClient(options, async (client) => {
      const stat = await client.setAcl(path, acl);
      if (options.json === true) printJson({ path, aversion: stat.aversion });
    }),
  );
}
