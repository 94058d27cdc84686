/**
 * M7: no client sees the new data before it has its event. A read that left a watch at zxid h is followed,
 * on the same connection, by the event of the node's first change after h, before any answer that shows a
 * tree with that change.
 */
import type { History, Operation, Violation, WatchEvent } from "./history.js";
import type { PathLife } from "./path-life.js";

export function lateEvents(history: History, lives: ReadonlyMap<string, PathLife>): Violation[] {
  const found: Violation[] = [];
  for (const { answered, events } of connectionsOf(history)) {
    answered.forEach((read, at) => {
      const late = tooEarlyAfter(read, at, answered, events, lives);
      if (late !== undefined) found.push({ rule: "a watch event too late", detail: late });
    });
  }
  return found;
}

interface Connection {
  /** In the order in which the answers arrived. */
  readonly answered: Operation[];
  readonly events: WatchEvent[];
}

function connectionsOf({ operations, events }: History): Iterable<Connection> {
  const connections = new Map<string, Connection>();
  const at = ({ session, connection }: Operation | WatchEvent): Connection => {
    const key = `${session}/${connection}`;
    const found = connections.get(key) ?? { answered: [], events: [] };
    connections.set(key, found);
    return found;
  };
  for (const operation of operations) if (operation.answer !== undefined) at(operation).answered.push(operation);
  for (const event of events) at(event).events.push(event);
  for (const { answered } of connections.values()) answered.sort((a, b) => a.answer!.arrival - b.answer!.arrival);
  return connections.values();
}

function tooEarlyAfter(
  read: Operation,
  at: number,
  answered: readonly Operation[],
  events: readonly WatchEvent[],
  lives: ReadonlyMap<string, PathLife>,
): string | undefined {
  // A read of a node that is not there leaves no watch.
  if (read.call.kind !== "read" || !read.call.watch || read.answer?.node === undefined) return undefined;
  const { path } = read.call;
  const { zxid, arrival } = read.answer;
  const changes = lives.get(path)?.changes ?? [];
  const change = changes[firstIndex(changes, 0, (one) => one > zxid)];
  if (change === undefined) return undefined;
  const shows = answered[firstIndex(answered, at + 1, ({ answer }) => answer!.zxid >= change)];
  if (shows === undefined) return undefined;
  const until = shows.answer!.arrival;
  if (events.some((event) => event.path === path && event.arrival > arrival && event.arrival < until)) return undefined;
  return (
    `${read.session}#${read.sequence} left a watch on ${path}, which changed at 0x${change.toString(16)}; ` +
    `#${shows.sequence} was answered with 0x${shows.answer!.zxid.toString(16)} before its event`
  );
}

/** The first index from `from` on at which the test holds; it holds for all that follow. */
function firstIndex<T>(list: readonly T[], from: number, test: (one: T) => boolean): number {
  let [low, high] = [from, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(list[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
