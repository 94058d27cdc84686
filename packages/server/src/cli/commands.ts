import type { Command } from "commander";

/**
 * Every command, with what the overview says of it. A command's module is imported only when it is the
 * one that was asked for: a server must not load a client to start, nor a client a server.
 */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: "serve",
    summary: "run a server",
    load: async () => (await import("./serve.js")).serveCommand(),
  },
  {
    name: "ensemble",
    summary: "run a local ensemble, to watch and to break",
    load: async () => (await import("./ensemble-command.js")).ensembleCommand(),
  },
  {
    name: "ls",
    summary: "list the children of a node",
    load: async () => (await import("./list-commands.js")).lsCommand(),
  },
  {
    name: "tree",
    summary: "draw the nodes below a path",
    load: async () => (await import("./list-commands.js")).treeCommand(),
  },
  {
    name: "get",
    summary: "print what a node holds",
    load: async () => (await import("./node-commands.js")).getCommand(),
  },
  {
    name: "stat",
    summary: "print a node's versions, times and owner",
    load: async () => (await import("./node-commands.js")).statCommand(),
  },
  {
    name: "create",
    summary: "create a node",
    load: async () => (await import("./node-commands.js")).createCommand(),
  },
  {
    name: "set",
    summary: "replace what a node holds",
    load: async () => (await import("./node-commands.js")).setCommand(),
  },
  {
    name: "delete",
    summary: "delete a node, or a whole subtree",
    load: async () => (await import("./node-commands.js")).deleteCommand(),
  },
  {
    name: "watch",
    summary: "print changes as they come",
    load: async () => (await import("./watch-command.js")).watchCommand(),
  },
  {
    name: "acl",
    summary: "show or replace who may do what with a node",
    load: async () => (await import("./acl-command.js")).aclCommand(),
  },
  {
    name: "quota",
    summary: "show, set or delete the quota of a subtree",
    load: async () => (await import("./quota-command.js")).quotaCommand(),
  },
  {
    name: "sync",
    summary: "wait until the server has caught up",
    load: async () => (await import("./session-commands.js")).syncCommand(),
  },
  {
    name: "whoami",
    summary: "print whom the server takes you for",
    load: async () => (await import("./session-commands.js")).whoamiCommand(),
  },
  {
    name: "log",
    summary: "print, check and cut the txn log files of a server",
    load: async () => (await import("./storage-tools.js")).logCommand(),
  },
  {
    name: "snapshot",
    summary: "print and check the snapshot files of a server",
    load: async () => (await import("./storage-tools.js")).snapshotCommand(),
  },
];
