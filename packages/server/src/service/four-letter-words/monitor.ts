import { type MetricValue, metricValues } from "../../metrics/index.js";
import { SERVER_VERSION } from "../version.js";
import { type EnsembleView, modeOf } from "./ensemble-view.js";
import { gauges } from "./gauges.js";
import type { WordContext } from "./word-context.js";

/** `mntr`: what this server is, what can be read off it, and what it has counted and measured, by Apache's names. */
export function monitor(context: WordContext): string {
  const view = context.ensemble?.();
  const values: MetricValue[] = [
    ["version", SERVER_VERSION],
    ["server_state", modeOf(view)],
    ...(view === undefined || view.serves === "read-only" ? [] : roleValues(view)),
    ...gauges.flatMap(({ name, read }): MetricValue[] => {
      const value = read(context, view);
      return value === undefined ? [] : [[name, value]];
    }),
    ...metricValues(context.replica.stats.metrics),
  ];
  return values.map(([name, value]) => `zk_${name}\t${value}\n`).join("");
}

function roleValues({ state, phase, syncMode, leaderId }: EnsembleView): MetricValue[] {
  const peerState = [state, phase, ...(syncMode === undefined ? [] : [syncMode])].join(" - ");
  const values: MetricValue[] = [["peer_state", peerState]];
  if (state === "observing" && leaderId !== undefined) values.push(["observer_master_id", leaderId]);
  return values;
}
