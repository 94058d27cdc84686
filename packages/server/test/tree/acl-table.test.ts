import type { Acl } from "@watchkeeper/wire";
import { expect, test } from "vitest";
import { AclTable, encodeAcl, isOpenAcl, OPEN_ACL } from "../../src/tree/index.js";

const OPEN: Acl[] = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
const READ: Acl[] = [{ perms: 1, id: { scheme: "world", id: "anyone" } }];
const BOTH = [...READ, ...OPEN];

function use(table: AclTable, list: Acl[]): number {
  const bytes = encodeAcl(list);
  return table.use(bytes, 0, bytes.length);
}

test("equal lists share a number, others in another order do not", () => {
  const table = new AclTable();
  expect(use(table, BOTH)).toBe(use(table, BOTH));
  expect(use(table, BOTH)).not.toBe(use(table, [...OPEN, ...READ]));
  expect(table.all()).toHaveLength(2);
});

test("a list goes with its last use, and its number with it", () => {
  const table = new AclTable();
  const number = use(table, READ);
  use(table, READ);
  table.release(number);
  expect(table.list(number)).toEqual(READ);
  table.release(number);
  expect(table.all()).toEqual([]);
  expect(use(table, READ)).not.toBe(number);
});

test("the open list is known as such by its number, in the table or not", () => {
  const table = new AclTable();
  expect(table.isOpen(OPEN_ACL)).toBe(true);
  expect(table.list(OPEN_ACL)).toEqual(OPEN);
  const number = use(table, OPEN);
  expect([table.isOpen(number), table.isOpen(use(table, READ))]).toEqual([true, false]);
  table.release(number);
  const again = use(table, OPEN);
  expect(table.isOpen(again)).toBe(true);
  const bytes = encodeAcl(OPEN);
  expect([isOpenAcl(bytes, 0, bytes.length), isOpenAcl(encodeAcl(READ), 0, bytes.length)]).toEqual([true, false]);
});

test("what a snapshot had and no node uses is dropped", () => {
  const table = new AclTable();
  const read = encodeAcl(READ);
  const both = encodeAcl(BOTH);
  const kept = table.restore(read, 0, read.length);
  expect(table.restore(read, 0, read.length)).toBe(kept);
  table.restore(both, 0, both.length);
  table.useAgain(kept);
  table.dropUnused();
  expect(table.all().map(({ aclId }) => aclId)).toEqual([kept]);
});
