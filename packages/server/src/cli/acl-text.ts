import { type AclEntry, PERMISSION } from "@watchkeeper/client";
import { InvalidArgumentError } from "commander";

const LETTERS = {
  c: PERMISSION.create,
  d: PERMISSION.delete,
  r: PERMISSION.read,
  w: PERMISSION.write,
  a: PERMISSION.admin,
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
  const letters = Object.entries(LETTERS)
    .filter(([, bit]) => (entry.permissions & bit) !== 0)
    .map(([letter]) => letter);
  return `${entry.scheme}:${entry.id}:${letters.join("")}`;
}
