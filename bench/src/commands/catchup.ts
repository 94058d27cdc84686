import { catchUps } from "../ensemble/catch-up.js";
import { type Command, numberOption, parseOptions } from "./command.js";
import { measureTimes, serverOptions } from "./ensemble-times.js";

const options = { ...serverOptions, writes: { type: "string" }, trials: { type: "string" } } as const;

export const catchup: Command = {
  help: `The time from the start of a follower's process until it has applied what its leader has, after it was away
for many writes. The start of the process is part of it.

  --writes N     missed each time (100000)
  --trials N     (5)
  --only NAME    watchkeeper or apache alone
  --quick        10,000 writes, two trials, nothing written unless --out is given
  --out FOLDER   where results go (docs/bench)`,
  async run(args) {
    const { values } = parseOptions(args, options);
    const quick = values.quick === true;
    const writes = numberOption("writes", values.writes ?? (quick ? "10000" : "100000"), 1, 1e6);
    const trials = numberOption("trials", values.trials ?? (quick ? "2" : "5"), 1, 100);
    const what = `catch-up after ${writes.toLocaleString("en-US")} writes`;
    await measureTimes({ name: "catchup", what, args, values, trials: (kind) => catchUps(kind, writes, trials) });
  },
};
