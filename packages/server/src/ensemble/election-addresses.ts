import type { ElectionAddress } from "@watchkeeper/wire";
import type { PeerEndpoint } from "../ports/index.js";
import { type EnsembleConfig, formatHostPort } from "../zab/index.js";

const WILDCARD = /^(0\.0\.0\.0|[0:]+)$/;

/** One server's addresses, any of which will do. */
export type Place = readonly PeerEndpoint[];

/** Where the servers listen for elections, by the committed configuration and by one that is only proposed. */
export class ElectionAddresses {
  private readonly myid: number;
  private readonly multiAddress: boolean;
  private committed: EnsembleConfig;
  private lastSeen: EnsembleConfig;

  constructor(myid: number, multiAddress: boolean, committed: EnsembleConfig) {
    this.myid = myid;
    this.multiAddress = multiAddress;
    this.committed = committed;
    this.lastSeen = committed;
  }

  setConfigs(committed: EnsembleConfig, lastSeen: EnsembleConfig): void {
    this.committed = committed;
    this.lastSeen = lastSeen;
  }

  /** In no configuration: it may come and ask, but nobody goes to it of his own accord. */
  isStranger(sid: number): boolean {
    return !this.committed.members.has(sid) && !this.lastSeen.members.has(sid);
  }

  /** To be tried one after the other: the place in the committed configuration, and another one in the proposed. */
  of(sid: number): Place[] {
    const committed = placeIn(this.committed, sid);
    const lastSeen = placeIn(this.lastSeen, sid);
    const places = formatPlace(committed) === formatPlace(lastSeen) ? [committed] : [committed, lastSeen];
    return places.filter((place) => place.length > 0);
  }

  /** This server's, as it tells them to others. */
  get own(): Place {
    const own = this.of(this.myid)[0] ?? [];
    return this.multiAddress ? own : own.slice(0, 1);
  }
}

/** What a server says of its own place, unless all it says is "anywhere". */
export function saidPlaces(addresses: readonly ElectionAddress[]): Place[] {
  const place = addresses.filter(({ host }) => !WILDCARD.test(host));
  return place.length === 0 ? [] : [place];
}

/** For log lines. */
export function formatPlace(place: Place): string {
  return place.map(({ host, port }) => formatHostPort(host, port)).join(" or ");
}

function placeIn(config: EnsembleConfig, sid: number): Place {
  return (config.members.get(sid)?.addresses ?? []).map(({ host, electionPort }) => ({ host, port: electionPort }));
}
