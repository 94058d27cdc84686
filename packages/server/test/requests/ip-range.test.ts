import { describe, expect, test } from "vitest";
import { matchesIp, parseIp, parseIpRange } from "../../src/requests/ip-range.js";

const matches = (range: string, address: string): boolean => {
  const parsedRange = parseIpRange(range);
  const parsedAddress = parseIp(address);
  if (parsedRange === undefined || parsedAddress === undefined) throw new Error("not an address");
  return matchesIp(parsedRange, parsedAddress);
};

describe("an address is in a range", () => {
  test.for([
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/9", "10.127.255.255", true],
    ["10.0.0.0/9", "10.128.0.0", false],
    ["192.168.1.128/25", "192.168.1.200", true],
    ["192.168.1.128/25", "192.168.1.127", false],
    ["10.1.2.3/32", "10.1.2.3", true],
    ["10.1.2.3/31", "10.1.2.2", true],
    ["10.1.2.3/0", "200.0.0.1", true],
    ["+10.001.0002.-0/+0024", "10.1.2.77", true],
    ["10.1.2.3/-0", "200.0.0.1", true],
    ["::1", "::1", true],
    ["::1", "::2", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true],
    ["::/0", "10.1.2.3", false],
    ["0.0.0.0/0", "::1", false],
  ] as const)("%s holds %s: %s", ([range, address, expected]) => expect(matches(range, address)).toBe(expected));
});

describe("what is no range", () => {
  test.for([
    "",
    "10.1.2",
    "10.1.2.3.4",
    "10.1.2.256",
    "10.1.2.-3",
    "10.1.2.+",
    "10.1.2.--0",
    "10.1.2.1e1",
    "10.1.2. 3",
    "10.1.2.3/33",
    "10.1.2.3/-1",
    "10.1.2.3/",
    "10.1.2.3/8/8",
    "10.1.2.x",
    "localhost",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    ":::",
    "::12345",
    "::1/129",
    "::10.1.2",
    "1:2:3:4:5:6:7::8:9",
  ])("%j", (range) => expect(parseIpRange(range)).toBeUndefined());
});

test("all ways to write an IPv6 address are one address", () => {
  const whole = parseIp("2001:0db8:0000:0000:0000:0000:0a00:0001");
  expect(whole).toHaveLength(16);
  for (const other of ["2001:db8::a00:1", "2001:DB8:0:0::A00:1", "2001:db8::10.0.0.1"]) {
    expect(parseIp(other), other).toEqual(whole);
  }
  expect(parseIp("::")).toEqual(new Array(16).fill(0));
});
