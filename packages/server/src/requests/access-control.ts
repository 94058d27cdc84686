import { type Acl, ByteReader, decodeText, type RequestedAcl, requestedAcl, vector } from "@watchkeeper/wire";
import type { Digester } from "../ports/index.js";
import { type AclTable, encodeAcl, isOpenAcl } from "../tree/index.js";
import { matchesIp, parseIp, parseIpRange } from "./ip-range.js";

/** Who a connection is: one entry a credential, of the schemes digest, ip, super. */
export interface Identity {
  readonly scheme: string;
  readonly id: string;
}

export interface AccessSettings {
  /** `zookeeper.skipACL=yes`: nothing is checked. */
  readonly skipAcl: boolean;
  readonly digestEnabled: boolean;
  /** `super:<digest>`, or undefined for none. */
  readonly superDigest: string | undefined;
}

/**
 * Access control lists: who is who, what a list allows, and which lists are valid (Apache's
 * `ZooKeeperServer.checkACL` and `PrepRequestProcessor.fixupACL`). An ACL is named by its number in
 * the tree's table, or given as bytes where a request has brought it and it is not applied yet.
 */
export type AclReference = number | Uint8Array;

export class AccessControl {
  private readonly acls: AclTable;
  private readonly settings: AccessSettings;
  private readonly digester: Digester;

  constructor(acls: AclTable, settings: AccessSettings, digester: Digester) {
    this.acls = acls;
    this.settings = settings;
    this.digester = digester;
  }

  /** Whether one of the identities may do what `permission` (one bit, or several of which one suffices) says. */
  allows(acl: AclReference, permission: number, identities: readonly Identity[]): boolean {
    if (typeof acl === "number" ? this.acls.isOpen(acl) : isOpenAcl(acl, 0, acl.length)) return true;
    if (this.settings.skipAcl) return true;
    const list = this.list(acl);
    if (list.length === 0) return true;
    if (identities.some((identity) => identity.scheme === "super")) return true;
    return list.some((entry) => (entry.perms & permission) !== 0 && matches(entry, identities));
  }

  list(acl: AclReference): readonly Acl[] {
    return typeof acl === "number" ? this.acls.list(acl) : this.acls.decode(acl);
  }

  /** The list as its reader may see it: without ADMIN the secrets of digest entries are left out (CVE-2019-0201). */
  redacted(acl: number, identities: readonly Identity[], adminPermission: number): readonly Acl[] {
    const list = this.list(acl);
    if (this.allows(acl, adminPermission, identities)) return list;
    return list.map((entry) => {
      if (entry.id.scheme !== "digest") return entry;
      const colon = entry.id.id.indexOf(":");
      return {
        perms: entry.perms,
        id: { scheme: "digest", id: colon < 0 ? entry.id.id : `${entry.id.id.slice(0, colon)}:x` },
      };
    });
  }

  /**
   * The list a client sent, as it will be stored: duplicates dropped, `auth` replaced by the client's
   * own identities. Undefined where it is invalid.
   */
  storedForm(sent: Uint8Array, start: number, end: number, identities: readonly Identity[]): Uint8Array | undefined {
    if (isOpenAcl(sent, start, end)) return OPEN_BYTES;
    const result: Acl[] = [];
    const seen = new Set<string>();
    for (const entry of requestedAcls.decode(new ByteReader(sent, start, end))) {
      const stored = this.storedEntries(entry, identities);
      if (stored === undefined || stored.length === 0) return undefined;
      for (const one of stored) {
        const key = `${one.perms} ${one.id.scheme} ${one.id.id}`;
        if (seen.has(key)) continue;
        seen.add(key);
        result.push(one);
      }
    }
    return result.length === 0 ? undefined : encodeAcl(result);
  }

  private storedEntries({ perms, id: sent }: RequestedAcl, identities: readonly Identity[]): Acl[] | undefined {
    const { scheme, id } = sent;
    if (scheme === "auth") {
      return identities
        .filter((identity) => identity.scheme === "digest")
        .map((identity) => ({ perms, id: { scheme: identity.scheme, id: identity.id } }));
    }
    if (scheme === null || id === null || !this.isValidId(scheme, id)) return undefined;
    return [{ perms, id: { scheme, id } }];
  }

  private isValidId(scheme: string, id: string): boolean {
    if (scheme === "world") return id === "anyone";
    if (scheme === "digest") return this.settings.digestEnabled && isDigestId(id);
    return scheme === "ip" && parseIpRange(id) !== undefined;
  }

  /** The identities a credential gives, or undefined where it is refused. */
  authenticate(scheme: string, credential: Uint8Array, address: string): Identity[] | undefined {
    if (scheme === "ip") return [{ scheme: "ip", id: address }];
    if (scheme !== "digest" || !this.settings.digestEnabled) return undefined;
    const text = decodeText(credential, 0, credential.length);
    const colon = text.indexOf(":");
    const id = `${colon < 0 ? text : text.slice(0, colon)}:${this.digester.digest(text)}`;
    const identities: Identity[] = [{ scheme: "digest", id }];
    if (id === this.settings.superDigest) identities.push({ scheme: "super", id: "" });
    return identities;
  }
}

const requestedAcls = vector(requestedAcl);

const OPEN_BYTES = encodeAcl([{ perms: 31, id: { scheme: "world", id: "anyone" } }]);

function matches(entry: Acl, identities: readonly Identity[]): boolean {
  const { scheme, id } = entry.id;
  if (scheme === "world" && id === "anyone") return true;
  for (const identity of identities) {
    if (identity.scheme !== scheme) continue;
    if (scheme === "ip" ? matchesAddress(id, identity.id) : identity.id === id) return true;
  }
  return false;
}

function matchesAddress(range: string, address: string): boolean {
  const parsedRange = parseIpRange(range);
  const parsedAddress = parseIp(address);
  return parsedRange !== undefined && parsedAddress !== undefined && matchesIp(parsedRange, parsedAddress);
}

/** Exactly a user and a digest: what Java's `split(":")` makes two parts of. */
function isDigestId(id: string): boolean {
  const parts = id.split(":");
  while (parts.length > 0 && parts.at(-1) === "") parts.pop();
  return parts.length === 2;
}

/** The name under which `whoAmI` shows an identity: a digest's user without its secret. */
export function userName(identity: Identity): string {
  if (identity.scheme !== "digest") return identity.id;
  const colon = identity.id.indexOf(":");
  return colon < 0 ? identity.id : identity.id.slice(0, colon);
}
