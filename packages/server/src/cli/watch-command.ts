import type { WatchStreamEvent } from "@watchkeeper/client";
import { Command, InvalidArgumentError } from "commander";
import { addClientOptions, type ClientOptions, withClient } from "./client-session.js";
import { interrupted } from "./interrupt.js";
import { hex, printable, printJson, printLine } from "./output.js";

interface WatchCliOptions extends ClientOptions {
  readonly recursive?: true;
  readonly count?: number;
}

export function watchCommand(): Command {
  const command = new Command("watch")
    .summary("print changes as they come")
    .description("Print the changes of a node, or of all nodes below it, as they come, until Ctrl-C.")
    .argument("[path]", "the node; it need not exist yet", "/")
    .option("-R, --recursive", "also everything below; created and deleted then tell of children")
    .option("-n, --count <events>", "end after so many changes", parseCount)
    .addHelpText(
      "after",
      `
What happens while no server is connected cannot be seen; the lines "session suspended" and
"session connected" (standard error, or objects with --json) tell when that was. Servers since 3.6.

Examples:
  $ watchkeeper watch /config
  $ watchkeeper watch / --recursive --json | jq -c 'select(.kind == "created")'
  $ watchkeeper watch /ready --count 1 && echo somebody touched /ready`,
    );
  return addClientOptions(command).action((path: string, options: WatchCliOptions) =>
    withClient(options, async (client) => {
      const stream = client.watch(path, { recursive: options.recursive, queueMax: 100_000 });
      void interrupted().then(() => stream.close());
      await stream.ready;
      if (options.json !== true)
        note(`watching ${path}${options.recursive ? " and below" : ""} on ${client.server}; Ctrl-C ends it`);
      let left = options.count ?? Number.POSITIVE_INFINITY;
      for await (const event of stream) {
        print(event, options);
        if (event.kind !== "session" && event.kind !== "overflow" && --left <= 0) break;
      }
    }),
  );
}

function print(event: WatchStreamEvent, options: ClientOptions): void {
  const time = new Date().toISOString();
  if (options.json === true) {
    const zxid = "zxid" in event && event.zxid !== undefined ? { zxid: hex(event.zxid) } : {};
    printJson({ time, ...event, ...zxid });
  } else if (event.kind === "session") {
    note(`${time}  session ${event.state}`);
  } else if (event.kind === "overflow") {
    note(`${time}  ${event.dropped} events came too fast and are missing here`);
  } else {
    printLine(`${time}  ${event.kind.padEnd(15)}  ${printable(event.path)}`);
  }
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("a whole number from 1 on expected.");
  return Number(text);
}
