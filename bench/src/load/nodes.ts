import { CREATE_FLAGS, ERR } from "@watchkeeper/wire";
import { BulkSession } from "./bulk-session.js";
import { fanoutPath } from "./fanout-lanes.js";
import { directoriesOf, KEYS_PER_DIRECTORY, type KeySpace } from "./key-space.js";
import { keySpaceOf, type LoadSpec } from "./load-spec.js";
import { appendFrame, frames, KeyedFrame, nodeData } from "./request-frames.js";
import { sharesOf } from "./run-load.js";
import type { Target } from "./server-connection.js";

/** Workloads that ask for keys, and so need them laid first. */
const KEYED: readonly string[] = ["get", "exists", "children", "set", "mixed"];

const EXISTS_ALREADY = [ERR.NODE_EXISTS];

/** Lays what a load needs and returns the way to take it away again. */
export async function layNodes(target: Target, spec: LoadSpec, workers: number): Promise<() => Promise<void>> {
  const value = nodeData(spec.valueBytes);
  const keys = keySpaceOf(spec);
  const keyCount = KEYED.includes(spec.workload) ? spec.keys : 0;
  await withSession(target, async (session) => {
    await createNode(session, spec.root, value);
    await layKeys(session, keys, 0, keyCount, value);
    if (spec.workload !== "fanout") return;
    for (const { first } of sharesOf(spec.connections, workers)) {
      await createNode(session, fanoutPath(spec.root, first), value);
    }
  });
  const remove = new KeyedFrame(keys, frames.delete);
  return () =>
    withSession(target, (session) => session.pipeline(keyCount, (writer, key) => remove.appendTo(writer, key)));
}

export async function createNode(session: BulkSession, path: string, value: Uint8Array): Promise<void> {
  const create = frames.create(path, value, CREATE_FLAGS.persistent);
  await session.pipeline(1, (writer) => appendFrame(writer, create), EXISTS_ALREADY);
}

/** Creates the keys from `from` up to, not including, `to`, and for nested ones their directories. */
export async function layKeys(
  session: BulkSession,
  keys: KeySpace,
  from: number,
  to: number,
  data: Uint8Array,
): Promise<void> {
  if (keys.pattern.lastIndexOf("/") > 0) await layDirectories(session, keys.root, from, to);
  const create = new KeyedFrame(keys, (path) => frames.create(path, data, CREATE_FLAGS.persistent));
  await session.pipeline(to - from, (writer, index) => create.appendTo(writer, from + index));
}

async function layDirectories(session: BulkSession, root: string, fromKey: number, toKey: number): Promise<void> {
  const first = Math.floor(fromKey / KEYS_PER_DIRECTORY);
  const count = Math.ceil(toKey / KEYS_PER_DIRECTORY) - first;
  const empty = new Uint8Array(0);
  const create = new KeyedFrame(directoriesOf(root), (path) => frames.create(path, empty, CREATE_FLAGS.persistent));
  await session.pipeline(count, (writer, index) => create.appendTo(writer, first + index), EXISTS_ALREADY);
}

export async function withSession<T>(target: Target, use: (session: BulkSession) => Promise<T>): Promise<T> {
  const session = await BulkSession.open(target);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
