/** A load generator process: opens its share of the connections when told, runs the closed loop once, reports, ends. */
import { FanoutLanes } from "./fanout-lanes.js";
import type { Lanes, LanesParts } from "./lanes.js";
import { Recorder } from "./recorder.js";
import { RequestLanes } from "./request-lanes.js";
import { SessionLanes } from "./session-lanes.js";
import type { FromWorker, ToWorker } from "./worker-messages.js";

let lanes: Lanes;
let parts: LanesParts;

process.on("message", (message: ToWorker) => {
  const step = message.kind === "open" ? open(message) : run();
  step.catch(fail);
});
process.on("disconnect", () => process.exit(1));

async function open({ target, spec, count, first }: Extract<ToWorker, { kind: "open" }>): Promise<void> {
  parts = { target, spec, count, first, recorder: new Recorder(), onFailure: fail };
  lanes = lanesOf(parts);
  await lanes.open();
  tell({ kind: "ready" });
}

async function run(): Promise<void> {
  const { recorder, spec } = parts;
  const fromMs = performance.now() + spec.warmupSeconds * 1000;
  recorder.measure(fromMs, fromMs + spec.seconds * 1000);
  lanes.begin();
  await pause(spec.warmupSeconds);
  const cpuBefore = process.cpuUsage();
  tell({ kind: "warm" });
  await pause(spec.seconds);
  const { user, system } = process.cpuUsage(cpuBefore);
  tell({ kind: "measured", cpuMs: (user + system) / 1000 });
  await lanes.end();
  const { histogram, errors, lastError } = recorder;
  tell({ kind: "done", histogram: histogram.parts(), errors, lastError });
}

function lanesOf(laneParts: LanesParts): Lanes {
  switch (laneParts.spec.workload) {
    case "connect":
      return new SessionLanes(laneParts);
    case "fanout":
      return new FanoutLanes(laneParts);
    default:
      return new RequestLanes(laneParts);
  }
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function tell(message: FromWorker): void {
  process.send?.(message);
}

function fail(error: Error): void {
  tell({ kind: "failed", message: error.message });
}
