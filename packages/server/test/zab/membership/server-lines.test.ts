import { describe, expect, test } from "vitest";
import { parseServerGroup, parseServerLine, parseServerWeight, ServerLineError } from "../../../src/zab/index.js";

const peer = (host: string) => ({ host, quorumPort: 2888, electionPort: 3888 });

describe("server.N", () => {
  test.each([
    ["zk1:2888:3888", { role: "participant", addresses: [peer("zk1")] }],
    ["10.0.0.1:2888:3888:participant", { role: "participant", addresses: [peer("10.0.0.1")] }],
    ["zk1:2888:3888:OBSERVER", { role: "observer", addresses: [peer("zk1")] }],
    ["[::1]:2888:3888", { role: "participant", addresses: [peer("::1")] }],
    ["[fe80::1%eth0]:2888:3888", { role: "participant", addresses: [peer("fe80::1%eth0")] }],
    ["zk_1.example.:2888:3888", { role: "participant", addresses: [peer("zk_1.example.")] }],
    ["a:2888:3888|b:2888:3888", { role: "participant", addresses: [peer("a"), peer("b")] }],
    [
      "a:2888:3888:observer | b:2888:3888:observer;2181",
      { role: "observer", addresses: [peer("a"), peer("b")], client: { host: "0.0.0.0", port: 2181 } },
    ],
    ["a:2888:3888|b:2888:3888:observer", { role: "observer", addresses: [peer("a"), peer("b")] }],
    ["a:2888:3888;2181", { role: "participant", addresses: [peer("a")], client: { host: "0.0.0.0", port: 2181 } }],
    ["a:2888:3888;b:2181", { role: "participant", addresses: [peer("a")], client: { host: "b", port: 2181 } }],
    ["a:2888:3888;[::]:2181", { role: "participant", addresses: [peer("a")], client: { host: "::", port: 2181 } }],
    ["a:2888:3888;", { role: "participant", addresses: [peer("a")] }],
    [
      "a:2888:3888;;2281",
      { role: "participant", addresses: [peer("a")], secureClient: { host: "0.0.0.0", port: 2281 } },
    ],
  ])("%s", (value, expected) => {
    expect(parseServerLine("7", value)).toEqual({ id: 7, ...expected });
  });

  test.each([
    ["", "host:quorumPort:electionPort"],
    ["zk1", "host:quorumPort:electionPort"],
    ["zk1:2888", "host:quorumPort:electionPort"],
    [":2888:3888", "host:quorumPort:electionPort"],
    ["::1:2888:3888", "host:quorumPort:electionPort"],
    ["[::1:2888:3888", "host:quorumPort:electionPort"],
    ["[]:2888:3888", "host:quorumPort:electionPort"],
    ["zk 1:2888:3888", "host:quorumPort:electionPort"],
    ["zk1:2888:3888:participant:more", "host:quorumPort:electionPort"],
    ["zk1:2888:3888:leader", "participant or observer"],
    ["zk1:2888:3888:", "participant or observer"],
    ["zk1:abc:3888", "a port from 1 to 65535"],
    ["zk1:2888:65536", "a port from 1 to 65535"],
    ["zk1:0:3888", "a port from 1 to 65535"],
    ["zk1:-1:3888", "a port from 1 to 65535"],
    ["zk1:2888:2888", "two different ports"],
    ["a:2888:3888:participant|b:2888:3888:observer", "the same role"],
    ["a:2888:3888|", "host:quorumPort:electionPort"],
    ["a:2888:3888;x:y:z", "a client port, or host:port"],
    ["a:2888:3888;host", "a client port, or host:port"],
    ["a:2888:3888;70000", "a port from 1 to 65535"],
    ["a:2888:3888;2181;2281;2381", "at most two parts"],
  ])("%j is refused: expected %s", (value, expected) => {
    expect(() => parseServerLine("1", value)).toThrow(ServerLineError);
    expect(() => parseServerLine("1", value)).toThrow(expected);
  });

  test.each(["x", "", "-1", "256", "1.5", "1e2", "99999999999999999999"])("the id %j is refused", (id) => {
    expect(() => parseServerLine(id, "zk1:2888:3888")).toThrow("a server id from 0 to 255");
  });

  test.each([0, 255])("the id %d is accepted", (id) => {
    expect(parseServerLine(String(id), "zk1:2888:3888").id).toBe(id);
  });
});

describe("groups and weights", () => {
  test("a group is a list of ids, a weight a number", () => {
    expect(parseServerGroup("1", "1:2:3")).toEqual({ id: 1, members: [1, 2, 3] });
    expect(parseServerWeight("3", "0")).toEqual({ id: 3, weight: 0 });
  });

  test.each(["", "1:", "1,2", "a"])("the group %j is refused", (value) => {
    expect(() => parseServerGroup("1", value)).toThrow(ServerLineError);
  });

  test.each(["", "-1", "x", "1.5"])("the weight %j is refused", (value) => {
    expect(() => parseServerWeight("1", value)).toThrow(ServerLineError);
  });
});
