import type { Client } from "../client.js";
import { badArguments } from "../errors.js";
import { childPath } from "../operations/paths.js";
import { type CacheOptions, ChildrenCache } from "../streams/cache/index.js";
import { PersistentEphemeral } from "./persistent-ephemeral.js";

/**
 * Who is there: members are ephemeral nodes below one path, named by the member. The same as Curator's
 * `GroupMember`.
 */
export class Group {
  readonly path: string;
  private readonly client: Client;

  constructor(client: Client, path: string) {
    this.client = client;
    this.path = path;
  }

  /**
   * Makes this process a member until the membership is closed, or its session is lost; await its `ready`. Not
   * with null: Curator's `GroupMember` fails on members that hold nothing.
   */
  join(id: string, data: Uint8Array | string = ""): PersistentEphemeral {
    if (id === "" || id.includes("/"))
      throw badArguments("join", this.path, `a name without "/" expected, "${id}" found`);
    return new PersistentEphemeral(this.client, childPath(this.path, id), data);
  }

  /** A view of the members that follows them; await its `ready`. */
  members(options?: CacheOptions): ChildrenCache {
    return new ChildrenCache(this.client, this.path, options);
  }
}
