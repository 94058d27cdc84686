import { CREATE_FLAGS } from "@watchkeeper/wire";
import { type AclEntry, OPEN_ACL, toWireAcl } from "./acl.js";
import type { CallOptions } from "./call-options.js";

/**
 * The kinds of node.
 *
 * | mode | lives until |
 * | --- | --- |
 * | persistent | it is deleted; with `ttlMs`, or when it was not changed and had no children for that long |
 * | ephemeral | the session that created it ends; cannot have children |
 * | container | it is deleted, or some time after its last child was |
 *
 * The sequential kinds have a number appended to their name by the server, larger than that of any node
 * created below the same parent before: at least ten digits, so that names sort as they were made.
 */
export type CreateMode = "persistent" | "persistent-sequential" | "ephemeral" | "ephemeral-sequential" | "container";

/** What a node is made with. */
export interface NodeOptions {
  /** @default "persistent" */
  readonly mode?: CreateMode | undefined;
  /** Who may do what with the node; children do not inherit it. @default OPEN_ACL */
  readonly acl?: readonly AclEntry[] | undefined;
  /**
   * Milliseconds, 1 to 2^40 - 1, after which an unchanged node without children may be removed by the
   * server. Persistent modes only, and only on servers that allow it (`extendedTypesEnabled`).
   */
  readonly ttlMs?: number | undefined;
}

/** What `create` takes. */
export interface CreateOptions extends NodeOptions, CallOptions {
  /**
   * Creates what is missing above the node too, as persistent nodes with the same `acl`, or as containers.
   * @default false
   */
  readonly parents?: boolean | "container" | undefined;
  /**
   * Makes the call safe to repeat when its reply is lost: it then looks whether its node is there, and
   * tries again only if not. For that the name must be one that nobody else gives. `true` puts
   * `_c_<random UUID>-` before it, as Curator does; a text says that the name given already holds this
   * text, and no other's does.
   */
  readonly protection?: boolean | string | undefined;
  /**
   * For ephemeral nodes of a client that renews lost sessions (`whenLost: "renew"`): creates the node again
   * in the new session, with what this client last wrote into it. @default false
   */
  readonly restore?: boolean | undefined;
}

/** What a node holds: text is stored as UTF-8. null and "" are different things to a server. */
export type NodeContent = Uint8Array | string | null;

const FLAGS: Readonly<Record<CreateMode, number>> = {
  persistent: CREATE_FLAGS.persistent,
  "persistent-sequential": CREATE_FLAGS.persistentSequential,
  ephemeral: CREATE_FLAGS.ephemeral,
  "ephemeral-sequential": CREATE_FLAGS.ephemeralSequential,
  container: CREATE_FLAGS.container,
};
const TTL_FLAGS: Partial<Record<CreateMode, number>> = {
  persistent: CREATE_FLAGS.persistentWithTtl,
  "persistent-sequential": CREATE_FLAGS.persistentSequentialWithTtl,
};
const TTL_MS_MAX = 2 ** 40 - 1;

export function isSequential(options: NodeOptions): boolean {
  return options.mode === "persistent-sequential" || options.mode === "ephemeral-sequential";
}

/** What no server would accept, or undefined. */
export function createProblem(options: NodeOptions & Pick<CreateOptions, "restore">): string | undefined {
  const mode = options.mode ?? "persistent";
  if (FLAGS[mode] === undefined) return `unknown mode "${mode}"; known are ${Object.keys(FLAGS).join(", ")}`;
  if (options.acl?.length === 0) return "an access control list needs at least one entry";
  if (options.restore === true && mode !== "ephemeral")
    return `restore goes with mode "ephemeral" only, not with "${mode}"`;
  if (options.ttlMs === undefined) return undefined;
  if (TTL_FLAGS[mode] === undefined) return `ttlMs goes with persistent modes only, not with "${mode}"`;
  const inRange = Number.isInteger(options.ttlMs) && options.ttlMs >= 1 && options.ttlMs <= TTL_MS_MAX;
  return inRange ? undefined : `ttlMs from 1 to ${TTL_MS_MAX} expected, ${options.ttlMs} found`;
}

export interface CreateBody {
  readonly data: Uint8Array | null;
  readonly acl: ReturnType<typeof toWireAcl>;
  readonly flags: number;
  readonly ttl: bigint;
}

export function createBody(data: NodeContent | undefined, options: NodeOptions): CreateBody {
  const mode = options.mode ?? "persistent";
  const flags = options.ttlMs === undefined ? FLAGS[mode] : TTL_FLAGS[mode];
  return {
    data: contentBytes(data ?? null),
    acl: toWireAcl(options.acl ?? OPEN_ACL),
    flags: flags ?? FLAGS[mode],
    ttl: BigInt(options.ttlMs ?? 0),
  };
}

export function contentProblem(content: unknown): string | undefined {
  if (content === null || content === undefined || typeof content === "string" || content instanceof Uint8Array) {
    return undefined;
  }
  return `data as a Uint8Array, string or null expected, ${typeof content} found`;
}

export function contentBytes(content: NodeContent): Uint8Array | null {
  return typeof content === "string" ? Buffer.from(content) : content;
}
