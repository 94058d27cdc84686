import { type LoadSpec, parseLoad } from "../load/load-spec.js";
import { runLoad } from "../load/run-load.js";
import { untilQuiet } from "../servers/process-figures.js";
import type { ServerHome } from "../servers/server-process.js";
import type { CurveRun } from "./curve.js";

export const GET_LOAD = "get -c 50";
export const SET_LOAD = "set -c 50";

/** The two loads of every curve, one after the other, over keys that lie already. */
export async function measureGetAndSet(
  home: ServerHome,
  run: CurveRun,
  where: Pick<LoadSpec, "root" | "keys" | "nested">,
): Promise<Record<string, number>> {
  await untilQuiet(home.pid);
  const on = { target: home.target, pid: home.pid, workers: run.workers };
  const get = await runLoad(on, { ...parseLoad(GET_LOAD, run.warmupSeconds, run.seconds), ...where });
  const set = await runLoad(on, { ...parseLoad(SET_LOAD, run.warmupSeconds, run.seconds), ...where });
  return {
    getsPerSecond: get.opsPerSecond,
    setsPerSecond: set.opsPerSecond,
    getP99Us: get.p99Us,
    setP99Us: set.p99Us,
    getGeneratorPercent: get.generatorPercent,
    rssMib: set.rssMib ?? Number.NaN,
  };
}
