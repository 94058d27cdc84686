import type { Client } from "../client.js";
import { badArguments, hasCode } from "../errors.js";
import type { NodeContent } from "../operations/create-options.js";
import { childPath } from "../operations/paths.js";
import type { LineLayout } from "./line-lock.js";
import { ensureNode, PATIENT, patiently, type WaitOptions } from "./patience.js";

/** How an entry is put. */
export interface PutOptions extends WaitOptions {
  /** 0 to 999; smaller ones are taken first, equal ones in the order of putting. @default 100 */
  readonly priority?: number | undefined;
}

const PRIORITY_DEFAULT = 100;

/** Puts an entry, by a name whose order as text is that of priority, where there are any, and then of arrival. */
export async function putEntry(
  client: Client,
  parent: string,
  data: NodeContent,
  options: PutOptions,
  layout: LineLayout = "kazoo",
): Promise<void> {
  const name = layout === "kazoo" ? kazooName(parent, options) : curatorName(parent, options);
  // Without a mark in the name, which would spoil the order, a lost reply leaves open whether it is there.
  await patiently("put", parent, options, async ({ signal }) => {
    const wanted = { ...PATIENT, signal, mode: "persistent-sequential", parents: true } as const;
    await client.create(childPath(parent, name), data, wanted);
  });
}

function kazooName(parent: string, { priority = PRIORITY_DEFAULT }: PutOptions): string {
  if (!Number.isInteger(priority) || priority < 0 || priority > 999) {
    throw badArguments("put", parent, `priority as an integer from 0 to 999 expected, ${priority} found`);
  }
  return `entry-${String(priority).padStart(3, "0")}-`;
}

function curatorName(parent: string, { priority }: PutOptions): string {
  if (priority === undefined) return "qn-";
  throw badArguments("put", parent, `no priority expected, since Curator's queue has none, ${priority} found`);
}

/** The entries in the order in which they are to be taken, and the first change of the list after that. */
export async function listEntries(client: Client, parent: string, signal: AbortSignal) {
  for (;;) {
    try {
      const { children, changed } = await client.watchChildren(parent, { ...PATIENT, signal });
      return { names: children.sort(), changed };
    } catch (error) {
      if (!hasCode(error, "NO_NODE")) throw error;
    }
    await ensureNode(client, parent, { signal });
  }
}
