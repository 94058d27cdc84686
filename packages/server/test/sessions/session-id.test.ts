import { expect, test } from "vitest";
import { isPasswordOf, SessionIds, sessionPassword } from "../../src/sessions/index.js";
import { sessionKey } from "../../src/tree/index.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test.for([
  [0x01000004b58ba2a1n, "8f0697714675ac0832e65eb09008e553"],
  [0x0100001d04060000n, "18aa70f3c52d7f4ab646e2aa16e849a7"],
] as const)("the password of session %s is the one Apache derives", ([id, password]) => {
  expect(hex(sessionPassword(id))).toBe(password);
});

test("a negative id has the same password as the unsigned one", () => {
  expect(sessionPassword(-2n)).toEqual(sessionPassword(0xffff_ffff_ffff_fffen));
});

test("only the whole password is the password", () => {
  const id = 0x01000004b58ba2a1n;
  const right = sessionPassword(id);
  expect(isPasswordOf(id, right)).toBe(true);
  expect(isPasswordOf(id, null)).toBe(false);
  expect(isPasswordOf(id, new Uint8Array(0))).toBe(false);
  expect(isPasswordOf(id, right.subarray(0, 15))).toBe(false);
  expect(isPasswordOf(id, Uint8Array.of(...right, 0))).toBe(false);
  expect(isPasswordOf(id + 1n, right)).toBe(false);
  for (let i = 0; i < 16; i++) {
    const wrong = right.slice();
    wrong[i] = wrong[i]! ^ 1;
    expect(isPasswordOf(id, wrong), `byte ${i}`).toBe(false);
  }
});

const idOf = ([high, low]: [number, number]): bigint => BigInt.asUintN(64, sessionKey(high, low));

test("ids carry the server in the top byte, 40 bits of the start time below it, and count up", () => {
  const startMs = 1_795_343_109_770;
  const ids = new SessionIds(0x7e, startMs);
  const first = idOf(ids.next());
  expect(first >> 56n).toBe(0x7en);
  expect((first >> 16n) & 0xff_ffff_ffffn).toBe(BigInt(startMs) & 0xff_ffff_ffffn);
  expect(first & 0xffffn).toBe(0n);
  for (let i = 1n; i <= 100n; i++) expect(idOf(ids.next())).toBe(first + i);
});

test("counting carries over the low half", () => {
  const ids = new SessionIds(1, 0xffff); // all ones in bits 31..16
  const first = idOf(ids.next());
  expect(first).toBe(0x0100_0000_ffff_0000n);
  let last = first;
  for (let i = 0; i < 0x10000; i++) last = idOf(ids.next());
  expect(last).toBe(0x0100_0001_0000_0000n);
});

test("the id that marks containers is never given out", () => {
  expect(idOf(new SessionIds(0x80, 0).next())).toBe(0x8000_0000_0000_0001n);
});
