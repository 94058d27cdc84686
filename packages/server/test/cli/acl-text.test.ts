import { expect, test } from "vitest";
import { formatAclEntry, parseAcl } from "../../src/cli/acl-text.js";

test("an access control list is read as zkCli writes it, ids with colons included", () => {
  expect(parseAcl("world:anyone:r,digest:bob:ikIaKsbtGweaHnb/jKn7OHqbunM=:cdrwa,auth::rw")).toEqual([
    { scheme: "world", id: "anyone", permissions: 1 },
    { scheme: "digest", id: "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=", permissions: 31 },
    { scheme: "auth", id: "", permissions: 3 },
  ]);
});

test.each(["world:anyone:r", "auth::cdrwa", "ip:10.0.0.0/8:rw"])("%s is written as it was read", (text) => {
  expect(parseAcl(text).map(formatAclEntry)).toEqual([text]);
});

test.each([
  ["world", "scheme:id:perms expected"],
  ["world:anyone", "scheme:id:perms expected"],
  [":anyone:r", "scheme:id:perms expected"],
  ["world:anyone:x", 'unknown permission "x"'],
])("%s is refused with what was expected", (text, reason) => {
  expect(() => parseAcl(text)).toThrow(reason);
});
