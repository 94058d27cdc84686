import type { NodeEvent } from "../index.js";

const types = {
  created: [1, "NODE_CREATED"],
  deleted: [2, "NODE_DELETED"],
  dataChanged: [3, "NODE_DATA_CHANGED"],
  childrenChanged: [4, "NODE_CHILDREN_CHANGED"],
} as const satisfies Record<NodeEvent["kind"], readonly [number, string]>;

/** What a watcher is called with. */
export class Event {
  static readonly NODE_CREATED = types.created[0];
  static readonly NODE_DELETED = types.deleted[0];
  static readonly NODE_DATA_CHANGED = types.dataChanged[0];
  static readonly NODE_CHILDREN_CHANGED = types.childrenChanged[0];

  readonly type: number;
  readonly name: string;
  readonly path: string;

  constructor({ kind, path }: NodeEvent) {
    [this.type, this.name] = types[kind];
    this.path = path;
  }

  /** One of the `Event.NODE_` numbers. */
  getType(): number {
    return this.type;
  }

  /** Such as "NODE_CREATED". */
  getName(): string {
    return this.name;
  }

  /** The path that was watched. */
  getPath(): string {
    return this.path;
  }

  /** As `NODE_CREATED[1]@/path`. */
  toString(): string {
    return `${this.name}[${this.type}]@${this.path}`;
  }
}
