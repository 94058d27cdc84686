/**
 * A server among its peers: elections, leading, following and observing, over streams of bytes. Pure, with promises: what it
 * needs of network, time and disk comes through ports.
 */
export { ElectionConnections } from "./election-connections.js";
export { LocalState } from "./local-state.js";
export type { PeerSettings } from "./peer-settings.js";
export { type PeerActivity, QuorumPeer } from "./quorum-peer.js";
