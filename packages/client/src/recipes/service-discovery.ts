import { randomUUID } from "node:crypto";
import type { Client } from "../client.js";
import { childPath } from "../operations/paths.js";
import type { CachedNode, CacheOptions, ChildrenCache } from "../streams/cache/index.js";
import { Group } from "./group.js";
import type { PersistentEphemeral } from "./persistent-ephemeral.js";

/** One place where a service can be reached. */
export interface ServiceInstance {
  readonly name: string;
  /** @default a random one */
  readonly id?: string | undefined;
  readonly address: string;
  readonly port?: number | undefined;
  readonly sslPort?: number | undefined;
  /** Whatever else clients of the service must know; JSON. */
  readonly payload?: unknown;
}

/**
 * Services and where they can be reached. Instances are ephemeral nodes `path/name/id`, in the JSON of
 * Curator's service discovery.
 */
export class ServiceDiscovery {
  private readonly client: Client;
  private readonly path: string;

  constructor(client: Client, path: string) {
    this.client = client;
    this.path = path;
  }

  /** Announces an instance until the registration is closed; await its `ready`. */
  register(instance: ServiceInstance): PersistentEphemeral {
    const { name, id = randomUUID(), address, port = null, sslPort = null, payload = null } = instance;
    const facts = { name, id, address, port, sslPort, payload };
    const json = { ...facts, registrationTimeUTC: Date.now(), serviceType: "DYNAMIC", uriSpec: null, enabled: true };
    return this.service(name).join(id, JSON.stringify(json));
  }

  /** A view of one service's instances that follows them; await its `ready`, and read it with `instancesOf`. */
  follow(name: string, options?: CacheOptions): ChildrenCache {
    return this.service(name).members(options);
  }

  private service(name: string): Group {
    return new Group(this.client, childPath(this.path, name));
  }
}

/** The instances in a view, without those whose node holds something else. */
export function instancesOf(view: ChildrenCache): ServiceInstance[] {
  return [...view.nodes()].map(instanceIn).filter((instance) => instance !== undefined);
}

function instanceIn({ data }: CachedNode): ServiceInstance | undefined {
  try {
    const found = JSON.parse(String(data)) as Partial<Record<keyof ServiceInstance, unknown>> | null;
    if (typeof found?.name !== "string" || typeof found.address !== "string") return undefined;
    found.port ??= undefined; // null, where it was left open
    found.sslPort ??= undefined;
    return found as ServiceInstance;
  } catch {
    return undefined;
  }
}
