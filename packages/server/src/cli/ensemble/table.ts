import type { LocalEnsemble } from "./local-ensemble.js";
import { lagBehind, roleOf } from "./observation.js";
import { describeProcess, type SupervisedServer } from "./supervised-server.js";

const HEAD = ["server", "pid", "role", "epoch", "last zxid", "lag", "clients", "port", "state"];

/** What is left out where the terminal is too narrow for all of it, the least missed first. */
const LEFT_OUT = ["pid", "clients", "port", "lag", "epoch", "last zxid"];
const GAP = "  ";

/** The servers as a table, one line each under a heading, with as many columns as the width has room for. */
export function tableLines(
  ensemble: LocalEnsemble,
  epochOf: (server: SupervisedServer) => number | undefined,
  width: number,
): string[] {
  const zxids = ensemble.servers.flatMap(({ observation }) => (observation.kind === "serving" ? observation.zxid : []));
  const { leader } = ensemble;
  const newest = leader?.observation.kind === "serving" ? leader.observation.zxid : Math.max(0, ...zxids);
  const rows = ensemble.servers.map((server) => row(server, newest, epochOf(server)));
  const widths = HEAD.map((head, column) => Math.max(head.length, ...rows.map((cells) => cells[column]!.length)));
  const shown = columnsWithin(width, widths);
  return [HEAD, ...rows].map((cells) =>
    shown
      .map((column) => cells[column]!.padEnd(widths[column]!))
      .join(GAP)
      .trimEnd(),
  );
}

function columnsWithin(width: number, widths: readonly number[]): number[] {
  const shown = new Set(HEAD.keys());
  const total = (): number => [...shown].reduce((sum, column) => sum + widths[column]! + GAP.length, -GAP.length);
  for (const name of LEFT_OUT) if (total() > width) shown.delete(HEAD.indexOf(name));
  return [...shown];
}

function row(server: SupervisedServer, newestZxid: number, epoch: number | undefined): string[] {
  const { place, observation, process, launched } = server;
  const serving = observation.kind === "serving" ? observation : undefined;
  return [
    String(place.id),
    launched === undefined ? "-" : String(launched.pid),
    roleOf(observation),
    epoch === undefined ? "-" : String(epoch),
    serving === undefined ? "-" : `0x${serving.zxid.toString(16)}`,
    serving === undefined ? "-" : lagBehind(newestZxid, serving.zxid),
    serving === undefined ? "-" : String(serving.connections),
    String(place.clientPort),
    process.kind === "running" && observation.kind === "silent" ? "no answer" : describeProcess(process),
  ];
}
