import type { NodeOwner, SnapshotNode } from "../service/snapshot-node.js";
import { dataFields, hex, isoTime, printable } from "./output.js";
import { dataText } from "./short-text.js";
import { aclJson, aclText } from "./txn-text.js";

export function nodeText({ path, data, acl: list, stat, owner }: SnapshotNode): string {
  const { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion } = stat;
  const txns = `czxid=${hex(czxid)} mzxid=${hex(mzxid)} pzxid=${hex(pzxid)}`;
  const times = `ctime=${isoTime(ctime)} mtime=${isoTime(mtime)}`;
  const versions = `version=${version} childrenCreated=${cversion} aversion=${aversion}`;
  return [
    `${printable(path)}  ${dataText(data)}`,
    `  ${txns} ${times}`,
    `  ${versions} dataLength=${data?.length ?? 0} acl=${printable(aclText(list))}${ownerText(owner)}`,
  ].join("\n");
}

function ownerText(owner: NodeOwner): string {
  if (owner.kind === "ephemeral") return ` ephemeral of ${hex(owner.session)}`;
  if (owner.kind === "ttl") return ` ttl=${owner.ttlMs}ms`;
  return owner.kind === "container" ? " container" : "";
}

export function nodeFields({ path, data, acl: list, stat, owner }: SnapshotNode): object {
  const { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner } = stat;
  return {
    path,
    ...dataFields(data),
    dataLength: data?.length ?? 0,
    version,
    childrenCreated: cversion,
    aversion,
    ctime: isoTime(ctime),
    mtime: isoTime(mtime),
    czxid: hex(czxid),
    mzxid: hex(mzxid),
    pzxid: hex(pzxid),
    ephemeralOwner: hex(ephemeralOwner),
    owner: owner.kind,
    ...(owner.kind === "ttl" ? { ttlMs: owner.ttlMs } : {}),
    acl: aclJson(list),
  };
}

/** A session id of two halves. */
export function sessionText(idHigh: number, idLow: number): string {
  return hex((BigInt(idHigh) << 32n) | BigInt(idLow >>> 0));
}

export function digestText(high: number, low: number): string {
  return ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString();
}
