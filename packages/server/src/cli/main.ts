/**
 * The program `watchkeeper`: finds out which command is meant and loads that one alone. What every
 * command shares is here: help, version, and how an error ends the process.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { type CommandEntry, commands } from "./commands.js";
import { exitCodeHelp, exitCodes } from "./exit-codes.js";

const EXAMPLES = `
Examples:
  $ watchkeeper serve                                 a server on 127.0.0.1:2181, data in ./watchkeeper-data
  $ watchkeeper create /config '{"size": 1}'
  $ watchkeeper get /config
  $ watchkeeper watch / --recursive                   in another terminal: see what the others do
  $ watchkeeper ls / --server db1:2181,db2:2181/app   any ZooKeeper; paths are then below /app

Where the servers are: --server, else the variable WATCHKEEPER_SERVER, else 127.0.0.1:2181.
"watchkeeper help <command>" tells more of each.

${exitCodeHelp()}`;

function newProgram(): Command {
  return new Command("watchkeeper")
    .description("A ZooKeeper server, and the commands to work with any ZooKeeper.")
    .exitOverride()
    .enablePositionalOptions() // or "set --version 4" would ask for the program's version
    .configureHelp({ commandDescription: (command) => joinedLines(command.description()) })
    .configureOutput({ outputError: (text, write) => write(plainError(text)) })
    .showHelpAfterError('("watchkeeper help" lists the commands, "watchkeeper help <command>" tells more of one)')
    .helpCommand("help [command]", "tell more of a command")
    .option("-V, --version", "print the version")
    .addHelpText("after", EXAMPLES);
}

/** Commander's sentences as this program's others are: who speaks, what was given, what was expected. */
function plainError(text: string): string {
  return text
    .replace(/^error: /, "watchkeeper: ")
    .replace(/option '(?:-\w, )?--auth[\s\S]* is invalid\. /, "--auth: ") // not what was given: it may be a password
    .replace(/option '(?:-\w, )?(--[\w-]+)[^']*' argument '([\s\S]*)' is invalid\. /, '$1 "$2": ')
    .replace(/command-argument value '([\s\S]*)' is invalid for argument '([^']*)'\. /, '$2 "$1": ');
}

/** Text as wide as the terminal: only an empty line ends a paragraph. */
function joinedLines(text: string): string {
  return text.replace(/(?<!\n)\n(?!\n)/g, " ");
}

interface Chosen {
  readonly entry: CommandEntry | undefined;
  readonly args: readonly string[];
}

/** The first argument that names a command is the command; options before it are moved behind it. */
function choose(argv: readonly string[]): Chosen {
  const asked = argv[0] === "help" && argv.length > 1 ? [...argv.slice(1), "--help"] : argv;
  const at = asked.findIndex((argument, index) => !argument.startsWith("-") && !isOptionValue(asked[index - 1]));
  const entry = at < 0 ? undefined : commands.find(({ name }) => name === asked[at]);
  if (entry === undefined) return { entry, args: argv };
  return { entry, args: [entry.name, ...asked.slice(0, at), ...asked.slice(at + 1)] };
}

function isOptionValue(before: string | undefined): boolean {
  return before !== undefined && /^(--server|--auth|--timeout|-s|-a)$/.test(before);
}

async function run(argv: readonly string[]): Promise<void> {
  if (argv[0] === "-V" || argv[0] === "--version") {
    process.stdout.write(`${versionOf()}\n`);
    return;
  }
  const program = newProgram();
  const { entry, args } = choose(argv);
  if (entry === undefined) {
    for (const { name, summary } of commands) program.command(name).summary(summary).description(summary);
    if (args.length === 0) {
      program.outputHelp();
      return;
    }
  } else {
    const command = await entry.load();
    inherit(command, program);
    program.addCommand(command);
  }
  // Of a command that is not there, "help" would print the overview and no word of it.
  await program.parseAsync(entry === undefined && args.length > 1 && args[0] === "help" ? args.slice(1) : args, {
    from: "user",
  });
}

/** Commands are made apart from the program, and so have to be told how it ends. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
}

function versionOf(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}

/** One sentence for the world's failures; a stack trace only for our own bugs. */
function exitCodeFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage.code;
  if (error instanceof Error && "exitCode" in error && typeof error.exitCode === "number") {
    process.stderr.write(`watchkeeper: ${error.message}\n`);
    return error.exitCode;
  }
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`watchkeeper: this should not have happened, please report it: ${reason}\n`);
  return exitCodes.failure.code;
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok.code); // the reader, such as head, has had enough
  process.stderr.write(`watchkeeper: standard output cannot be written: ${error.message}\n`);
  process.exit(exitCodes.failure.code);
});

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.exitCode = exitCodeFor(error);
}
