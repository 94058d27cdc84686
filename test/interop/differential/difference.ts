/** What can differ between the answers of two servers, and how two sequences of answers are laid side by side. */

import type { EventItem, Item, ReplyItem } from "./reply.js";
import { describeRequest, type Request } from "./request.js";

interface Where {
  /** The connection on which it was seen. */
  readonly client: number;
  /** The connection that acted, and what it sent. */
  readonly actor: number;
  readonly requests: readonly Request[];
  /** The name of the probe that was running, if one was. */
  readonly probe: string | undefined;
}

export type Difference = Where &
  (
    | {
        readonly aspect: "reply";
        readonly request: Request | undefined;
        readonly apache: ReplyItem | undefined;
        readonly watchkeeper: ReplyItem | undefined;
      }
    | {
        readonly aspect: "event";
        readonly apache: EventItem | undefined;
        readonly watchkeeper: EventItem | undefined;
      }
    /** The same events of one closing session, in another order. */
    | { readonly aspect: "event order"; readonly apache: readonly Item[]; readonly watchkeeper: readonly Item[] }
    | { readonly aspect: "closed"; readonly apache: boolean; readonly watchkeeper: boolean }
    | { readonly aspect: "handshake" | "tree"; readonly apache: unknown; readonly watchkeeper: unknown }
  );

/** Of a reply, both sides being there. */
export type ReplyDifference = Extract<Difference, { aspect: "reply" }>;

/** Two sequences, item beside item; one side is undefined where the other has an item of its own. */
export function laidSideBySide(
  apache: readonly Item[],
  watchkeeper: readonly Item[],
): [Item | undefined, Item | undefined][] {
  const pairs: [Item | undefined, Item | undefined][] = [];
  let a = 0;
  let w = 0;
  while (a < apache.length || w < watchkeeper.length) {
    const left = apache[a];
    const right = watchkeeper[w];
    if (left !== undefined && right !== undefined && keyOf(left) === keyOf(right)) {
      pairs.push([left, right]);
      a += 1;
      w += 1;
    } else if (left !== undefined && (right === undefined || !occursFrom(watchkeeper, w, keyOf(left)))) {
      pairs.push([left, undefined]);
      a += 1;
    } else {
      pairs.push([undefined, right]);
      w += 1;
    }
  }
  return pairs;
}

function keyOf(item: Item): string {
  return item.kind === "event" ? `event ${item.type} ${item.path}` : `reply ${item.xid}`;
}

function occursFrom(items: readonly Item[], from: number, key: string): boolean {
  for (let i = from; i < items.length; i++) if (keyOf(items[i]!) === key) return true;
  return false;
}

/** Each run of events between replies put into one fixed order. */
export function withEventRunsSorted(items: readonly Item[]): Item[] {
  const sorted: Item[] = [];
  let run: Item[] = [];
  const flush = () => {
    sorted.push(...run.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)));
    run = [];
  };
  for (const item of items) {
    if (item.kind === "event") run.push(item);
    else {
      flush();
      sorted.push(item);
    }
  }
  flush();
  return sorted;
}

export function sameOrder(one: readonly Item[], other: readonly Item[]): boolean {
  return one.length === other.length && one.every((item, i) => keyOf(item) === keyOf(other[i]!));
}

/** A difference as a failing test shows it. */
export function describeDifference(difference: Difference): string {
  const lines = [
    `${difference.aspect} on connection ${difference.client}${difference.probe === undefined ? "" : `, probe ${difference.probe}`}`,
    `  connection ${difference.actor} had sent:`,
    ...difference.requests.map((request) => `    ${describeRequest(request)}`),
  ];
  if (difference.aspect === "reply" && difference.request !== undefined)
    lines.push(`  about: ${describeRequest(difference.request)}`);
  lines.push(`  Apache:      ${JSON.stringify(difference.apache)}`);
  lines.push(`  Watchkeeper: ${JSON.stringify(difference.watchkeeper)}`);
  return lines.join("\n");
}
