import type { AclEntry } from "@watchkeeper/client";
import { type Acl, PERMISSIONS } from "@watchkeeper/wire";
import { InvalidArgumentError } from "commander";

const LETTERS = {
  c: PERMISSIONS.create,
  d: PERMISSIONS.delete,
  r: PERMISSIONS.read,
  w: PERMISSIONS.write,
  a: PERMISSIONS.admin,
} as const;

/** Reads `scheme:id:perms,...` as zkCli does: the id may hold colons, it ends at the last one. */
export function parseAcl(text: string): AclEntry[] {
  return text.split(",").map((part) => {
    const first = part.indexOf(":");
    const last = part.lastIndexOf(":");
    if (first < 1 || last === first) {
      throw new InvalidArgumentError(`"${part}": scheme:id:perms expected, such as world:anyone:r.`);
    }
    return {
      scheme: part.slice(0, first),
      id: part.slice(first + 1, last),
      permissions: parsePermissions(part.slice(last + 1)),
    };
  });
}

function parsePermissions(letters: string): number {
  let permissions = 0;
  for (const letter of letters) {
    const bit = LETTERS[letter as keyof typeof LETTERS];
    if (bit === undefined)
      throw new InvalidArgumentError(`unknown permission "${letter}"; c, d, r, w and a are known.`);
    permissions |= bit;
  }
  return permissions;
}

export function formatAclEntry(entry: AclEntry): string {
  return `${entry.scheme}:${entry.id}:${formatPermissions(entry.permissions)}`;
}

/** An entry for programs. */
export function aclFields(entry: AclEntry): { scheme: string; id: string; permissions: string } {
  return { scheme: entry.scheme, id: entry.id, permissions: formatPermissions(entry.permissions) };
}

function formatPermissions(permissions: number): string {
  const letters = Object.entries(LETTERS).filter(([, bit]) => (permissions & bit) !== 0);
  return letters.map(([letter]) => letter).join("");
}

/** An entry as files hold it. */
export function storedAclEntry({ perms, id }: Acl): AclEntry {
  return { scheme: id.scheme, id: id.id, permissions: perms };
}
