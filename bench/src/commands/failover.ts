import { failOvers } from "../ensemble/fail-over.js";
import { type Command, numberOption, parseOptions } from "./command.js";
import { measureTimes, serverOptions } from "./ensemble-times.js";

const options = {
  ...serverOptions,
  servers: { type: "string" },
  trials: { type: "string" },
  sessions: { type: "string" },
} as const;

export const failover: Command = {
  help: `The time from kill -9 of an ensemble's leader under load until a client of a surviving server has its next
write acknowledged, reconnecting where it must.

  --servers N    in the ensemble (3)
  --trials N     leaders killed, one after the other (20)
  --sessions N   that write meanwhile, as fast as they are answered (20)
  --only NAME    watchkeeper or apache alone
  --quick        three trials, nothing written unless --out is given
  --out FOLDER   where results go (docs/bench)`,
  async run(args) {
    const { values } = parseOptions(args, options);
    const quick = values.quick === true;
    const plan = {
      servers: numberOption("servers", values.servers ?? "3", 3, 9),
      trials: numberOption("trials", values.trials ?? (quick ? "3" : "20"), 1, 1000),
      sessions: numberOption("sessions", values.sessions ?? "20", 1, 1000),
    };
    const what = `fail-over, ${plan.servers} servers`;
    await measureTimes({ name: "failover", what, args, values, trials: (kind) => failOvers(kind, plan) });
  },
};
