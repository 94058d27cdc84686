import { type Acl, acl, ByteReader, PERMISSIONS, vector } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { nodeDigester } from "../../src/host/node-world.js";
import { AccessControl, type AccessSettings, type Identity, userName } from "../../src/requests/index.js";
import { AclTable, encodeAcl } from "../../src/tree/index.js";

const { read, write, create, delete: remove, admin, all } = PERMISSIONS;
const DIGEST = "bob:fyVmFCwVbTJYrznoSu1koqYEYF0="; // sha1("bob:secret")
const ANYONE: Identity = { scheme: "ip", id: "127.0.0.1" };

function accessControl(settings: Partial<AccessSettings> = {}): AccessControl {
  const all = { skipAcl: false, digestEnabled: true, superDigest: undefined, ...settings };
  return new AccessControl(new AclTable(), all, nodeDigester("sha1"));
}

const entry = (perms: number, scheme: string, id: string): Acl => ({ perms, id: { scheme, id } });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("what a list allows", () => {
  const access = accessControl();
  const allows = (list: Acl[], permission: number, identities: Identity[] = [ANYONE]): boolean =>
    access.allows(encodeAcl(list), permission, identities);

  test("an empty list allows everything", () => {
    expect(allows([], all)).toBe(true);
  });

  test("world:anyone stands for all, with the bits it has", () => {
    expect(allows([entry(read, "world", "anyone")], read)).toBe(true);
    expect(allows([entry(read, "world", "anyone")], write)).toBe(false);
    expect(allows([entry(all, "world", "somebody")], read)).toBe(false);
  });

  test("one bit of those asked for suffices", () => {
    expect(allows([entry(read, "world", "anyone")], read | admin)).toBe(true);
    expect(allows([entry(write | create | remove, "world", "anyone")], read | admin)).toBe(false);
  });

  test("bits of two entries do not add up for different people", () => {
    const list = [entry(read, "digest", "alice:x"), entry(write, "digest", "bob:y")];
    expect(allows(list, write, [{ scheme: "digest", id: "alice:x" }])).toBe(false);
    expect(allows(list, write, [{ scheme: "digest", id: "bob:y" }])).toBe(true);
  });

  test("an identity of another scheme is another identity", () => {
    expect(allows([entry(all, "digest", "10.0.0.1")], read, [{ scheme: "ip", id: "10.0.0.1" }])).toBe(false);
  });

  test("ip entries match ranges, of IPv6 too", () => {
    expect(allows([entry(all, "ip", "127.0.0.0/8")], read)).toBe(true);
    expect(allows([entry(all, "ip", "10.0.0.0/8")], read)).toBe(false);
    expect(allows([entry(all, "ip", "2001:db8::/32")], read, [{ scheme: "ip", id: "2001:db8::7" }])).toBe(true);
  });

  test("the superuser and skipAcl are above every list", () => {
    const closed = [entry(all, "digest", "nobody:x")];
    expect(allows(closed, all, [ANYONE, { scheme: "super", id: "" }])).toBe(true);
    expect(accessControl({ skipAcl: true }).allows(encodeAcl(closed), all, [ANYONE])).toBe(true);
    expect(allows(closed, all)).toBe(false);
  });
});

describe("the list that is stored for the one that was sent", () => {
  const stored = (list: Acl[], identities: Identity[] = [ANYONE], access = accessControl()): Acl[] | undefined => {
    const sent = encodeAcl(list);
    const bytes = access.storedForm(sent, 0, sent.length, identities);
    return bytes && vector(acl).decode(new ByteReader(bytes));
  };

  test("exact duplicates are dropped, order is kept", () => {
    const a = entry(read, "world", "anyone");
    const b = entry(all, "digest", "bob:x");
    expect(stored([b, a, b, a, entry(write, "world", "anyone")])).toEqual([b, a, entry(write, "world", "anyone")]);
  });

  test("auth becomes each identity that was proved, with the same permissions", () => {
    const proved: Identity[] = [ANYONE, { scheme: "digest", id: "bob:x" }, { scheme: "digest", id: "eve:y" }];
    expect(stored([entry(write, "auth", "ignored")], proved)).toEqual([
      entry(write, "digest", "bob:x"),
      entry(write, "digest", "eve:y"),
    ]);
    expect(stored([entry(all, "auth", ""), entry(all, "digest", "bob:x")], proved.slice(0, 2))).toEqual([
      entry(all, "digest", "bob:x"),
    ]);
  });

  test.for([
    ["no entry", []],
    ["auth without anything proved", [entry(all, "auth", "")]],
    ["another world than anyone", [entry(all, "world", "someone")]],
    ["a digest without a colon", [entry(all, "digest", "bob")]],
    ["a digest of three parts", [entry(all, "digest", "bob:x:y")]],
    ["a digest without its second part", [entry(all, "digest", "bob:")]],
    ["no address", [entry(all, "ip", "localhost")]],
    ["too many bits", [entry(all, "ip", "10.0.0.0/33")]],
    ["an unknown scheme", [entry(all, "kerberos", "bob")]],
    ["one bad entry among good ones", [entry(all, "world", "anyone"), entry(all, "nonsense", "")]],
  ] as const)("%s is invalid", ([, list]) => {
    expect(stored([...list])).toBeUndefined();
  });

  test("a digest entry is invalid where the scheme is switched off", () => {
    const list = [entry(all, "digest", "bob:x")];
    expect(stored(list)).toEqual(list);
    expect(stored(list, [ANYONE], accessControl({ digestEnabled: false }))).toBeUndefined();
  });
});

describe("a list as its reader sees it", () => {
  const table = new AclTable();
  const access = new AccessControl(
    table,
    { skipAcl: false, digestEnabled: true, superDigest: undefined },
    nodeDigester("sha1"),
  );
  const list = [
    entry(read, "world", "anyone"),
    entry(all, "digest", "bob:secret:more"),
    entry(read, "digest", "colonless"),
    entry(read, "ip", "10.0.0.0/8"),
  ];
  const bytes = encodeAcl(list);
  const number = table.use(bytes, 0, bytes.length);

  test("without ADMIN the hashes are hidden, from the first colon on", () => {
    expect(access.redacted(number, [ANYONE], admin)).toEqual([
      list[0],
      entry(all, "digest", "bob:x"),
      list[2],
      list[3],
    ]);
  });

  test("with ADMIN they are shown", () => {
    expect(access.redacted(number, [{ scheme: "digest", id: "bob:secret:more" }], admin)).toEqual(list);
  });
});

describe("a credential", () => {
  test("of scheme digest is the user and the hash of the whole", () => {
    expect(accessControl().authenticate("digest", utf8("bob:secret"), "127.0.0.1")).toEqual([
      { scheme: "digest", id: DIGEST },
    ]);
  });

  test("without a colon is user and password at once", () => {
    const [identity] = accessControl().authenticate("digest", utf8("bob"), "127.0.0.1")!;
    expect(identity!.id).toMatch(/^bob:[A-Za-z0-9+/]{27}=$/);
  });

  test("of the superuser also gives the identity that is above every list", () => {
    const superDigest = `super:${nodeDigester("sha1").digest("super:secret")}`;
    const access = accessControl({ superDigest });
    expect(access.authenticate("digest", utf8("super:secret"), "")).toEqual([
      { scheme: "digest", id: superDigest },
      { scheme: "super", id: "" },
    ]);
    expect(access.authenticate("digest", utf8("super:wrong"), "")).toHaveLength(1);
  });

  test("of scheme ip is the address of the socket, whatever it says", () => {
    expect(accessControl().authenticate("ip", utf8("10.0.0.1"), "127.0.0.1")).toEqual([ANYONE]);
  });

  test("of another scheme, or of a scheme that is switched off, is refused", () => {
    expect(accessControl().authenticate("world", utf8("anyone"), "")).toBeUndefined();
    expect(accessControl().authenticate("super", utf8(""), "")).toBeUndefined();
    expect(accessControl({ digestEnabled: false }).authenticate("digest", utf8("a:b"), "")).toBeUndefined();
  });

  test("is shown to whoAmI without its secret", () => {
    expect(userName({ scheme: "digest", id: DIGEST })).toBe("bob");
    expect(userName(ANYONE)).toBe("127.0.0.1");
  });
});
