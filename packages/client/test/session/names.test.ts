import { expect, test } from "vitest";
import {
  Chroot,
  formatAddress,
  parseConnectString,
  pathProblem,
  sequentialPathProblem,
} from "../../src/session/index.js";

test.each([
  ["127.0.0.1", ["127.0.0.1:2181"], ""],
  ["a:1,b:2/x/y", ["a:1", "b:2"], "/x/y"],
  ["a , b:3/", ["a:2181", "b:3"], ""],
  ["[::1]:9,[fe80::1]", ["[::1]:9", "[fe80::1]:2181"], ""],
])("the connect string %s names its servers and its chroot", (text, servers, chroot) => {
  const target = parseConnectString(text);
  expect([target.servers.map(formatAddress), target.chroot]).toEqual([servers, chroot]);
});

test.each(["", "/x", ",", "a:0", "a:65536", "a:b", "::1", "[::1", "a:1:2"])(
  "the connect string %j is refused",
  (text) => {
    expect(() => parseConnectString(text)).toThrow(RangeError);
  },
);

test.each(["/", "/a", "/a/b", "/...", "/..b", "/.a", "/a b", "/é", "/\u00a0", "/\uffef"])("%j is a path", (path) => {
  expect(pathProblem(path)).toBeUndefined();
});

test.each([
  ["", "empty"],
  ["a", "starts with"],
  ["/a/", "end with"],
  ["//", "empty name"],
  ["/a//b", "empty name at index 3"],
  ["/.", "relative"],
  ["/a/../b", "relative"],
  ["/a\u0000", "U+0000"],
  ["/a\u001f", "U+001F"],
  ["/\u007f", "U+007F"],
  ["/\u009f", "U+009F"],
  ["/\u{1f600}", "U+D83D"],
  ["/\uf8ff", "U+F8FF"],
  ["/\ufff0", "U+FFF0"],
])("%j is no path, and the reason is said", (path, reason) => {
  expect(pathProblem(path)).toContain(reason);
});

test("a sequential node may have no name of its own", () => {
  expect(sequentialPathProblem("/a/")).toBeUndefined();
  expect(sequentialPathProblem("/a//")).toContain("empty name");
});

test("a chroot is put before paths and taken off those that lie in it", () => {
  const chroot = new Chroot("/app");
  expect(["/", "/x"].map((path) => chroot.toServer(path))).toEqual(["/app", "/app/x"]);
  expect(["/app", "/app/x", "/apple", "/"].map((path) => chroot.toApplication(path))).toEqual([
    "/",
    "/x",
    undefined,
    undefined,
  ]);
  // Its watch is set by `getConfig`, wherever the client is confined to.
  expect(chroot.toApplication("/zookeeper/config")).toBe("/zookeeper/config");
});
