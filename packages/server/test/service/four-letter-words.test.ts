import { rmSync } from "node:fs";
import { addWatchRequest, getChildrenRequest, getDataRequest } from "@watchkeeper/wire";
import { describe, expect, test } from "vitest";
import { until } from "../../../../test/support/until.js";
import { serve } from "../support/server-under-test.js";

const ALL = "conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs".split(" ");

describe("the whitelist", () => {
  test("refuses a word by Apache's sentence and nothing else", async () => {
    const server = await serve({ fourLetterWords: ["ruok"] });
    for (const word of ALL) {
      const answer = await server.word(word);
      if (word === "ruok" || word === "srvr") expect(answer).not.toContain("whitelist");
      else expect(answer).toBe(`${word} is not executed because it is not in the whitelist.\n`);
    }
  });

  test("always allows srvr", async () => {
    const server = await serve({ fourLetterWords: [] });
    expect(await server.word("srvr")).toMatch(/^Zookeeper version: /);
    expect(await server.word("ruok")).toBe("ruok is not executed because it is not in the whitelist.\n");
  });

  test("by * allows all", async () => {
    const server = await serve({ fourLetterWords: "*" });
    for (const word of ALL.filter((one) => one !== "stmk")) expect(await server.word(word)).not.toContain("whitelist");
  });

  test("a telnet interrupt is refused by name, and only closed where all is allowed", async () => {
    const interrupt = "\u00ff\u00f4\u00ff\u00fd";
    const closed = await serve({ fourLetterWords: [] });
    expect(await closed.word(interrupt)).toBe("telnet close is not executed because it is not in the whitelist.\n");
    const open = await serve({ fourLetterWords: "*" });
    expect(await open.word(interrupt)).toBe("");
  });

  test("a word that is none is a length, far too large: closed without an answer", async () => {
    const server = await serve();
    for (const word of ["lead", "toString".slice(0, 4), "RUOK", "cons".toUpperCase()]) {
      expect(await server.word(word)).toBe("");
    }
  });
});

test("words about a data directory that was taken away are answered, and the server goes on", async () => {
  const server = await serve();
  rmSync(server.dataDir, { recursive: true });
  expect(await server.word("dirs")).toBe("datadir_size: 0\nlogdir_size: 0\n");
  for (const word of ["conf", "mntr", "envi", "stat"]) expect(await server.word(word)).not.toBe("");
  expect(await server.word("ruok")).toBe("imok");
});

describe("the answers", () => {
  test("ruok, isro and gtmk have no line end", async () => {
    const server = await serve();
    expect([await server.word("ruok"), await server.word("isro"), await server.word("gtmk")]).toEqual([
      "imok",
      "rw",
      "306",
    ]);
  });

  test("stmk waits for its eight bytes and tells them in decimal, as gtmk does then", async () => {
    const server = await serve();
    const connection = await server.socket();
    connection.write(Buffer.from("stmk"));
    expect(await server.word("gtmk")).toBe("306");
    connection.write(Uint8Array.of(0, 0, 0, 0, 0, 0));
    connection.write(Uint8Array.of(1, 2));
    expect((await connection.untilClosed()).toString()).toBe("258");
    expect(await server.word("gtmk")).toBe("258");
    expect(await server.word("stmk\0\0\0\0\0\0\u0001\u0032")).toBe("306");
  });

  test("srvr: one line each, and the counts of an empty tree with one more for the root's other name", async () => {
    const server = await serve();
    expect(await server.word("srvr")).toMatch(
      new RegExp(
        [
          "^Zookeeper version: .+",
          "Latency min/avg/max: 0/0\\.0/0",
          "Received: 0",
          "Sent: 0",
          "Connections: 1",
          "Outstanding: 0",
          "Zxid: 0x0",
          "Mode: standalone",
          "Node count: 5",
          "$",
        ].join("\n"),
      ),
    );
  });

  test("the version line is one that tools can read", async () => {
    const [line] = (await (await serve()).word("srvr")).split("\n");
    expect(line).toMatch(/^Zookeeper version: \d+\.\d+\.\d+[-.\w]*, built on \d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC$/);
  });

  test("stat has the clients between the version and the rest", async () => {
    const server = await serve();
    await server.raw();
    const lines = (await server.word("stat")).split("\n");
    expect(lines[1]).toBe("Clients:");
    const clients = lines.slice(2, lines.indexOf(""));
    expect(clients).toHaveLength(2);
    for (const line of clients) {
      expect(line).toMatch(/^ \/127\.0\.0\.1:\d+\[[01]\]\(queued=\d+,recved=\d+,sent=\d+\)$/);
    }
    expect(lines[lines.indexOf("") + 1]).toMatch(/^Latency min\/avg\/max: /);
  });

  test("cons tells more of connections with a session", async () => {
    const server = await serve();
    const raw = await server.raw();
    await raw.call("getData", getDataRequest, { path: "/", watch: false });
    const lines = (await server.word("cons")).split("\n");
    expect(lines).toHaveLength(4);
    expect(lines.slice(2)).toEqual(["", ""]);
    const line = lines.find((one) => one.includes("sid="));
    expect(line).toMatch(
      /^ \/127\.0\.0\.1:\d+\[1\]\(queued=0,recved=1,sent=\d,sid=0x[0-9a-f]+,lop=GETD,est=\d{13},to=10000,lcxid=0x1,lzxid=0x1,lresp=\d+,llat=\d+,minlat=\d+,avglat=\d+,maxlat=\d+\)$/,
    );
    expect(line).toContain(`sid=0x${raw.sessionId.toString(16)},`);
  });

  test("crst and srst begin counting anew", async () => {
    const server = await serve();
    const raw = await server.raw();
    for (let i = 0; i < 5; i++) await raw.call("getData", getDataRequest, { path: "/", watch: false });
    expect(await server.figure("packets_received")).toBe(5);
    expect(await server.word("srst")).toBe("Server stats reset.\n");
    expect(await server.figure("packets_received")).toBe(0);
    expect(await server.word("cons")).toContain("recved=5");
    expect(await server.word("crst")).toBe("Connection stats reset.\n");
    expect(await server.word("cons")).not.toContain("recved=5");
  });

  test("conf has Apache's keys in Apache's order", async () => {
    const server = await serve();
    const lines = (await server.word("conf")).trimEnd().split("\n");
    expect(lines.map((line) => line.split("=")[0])).toEqual(
      "clientPort secureClientPort dataDir dataDirSize dataLogDir dataLogSize tickTime maxClientCnxns minSessionTimeout maxSessionTimeout clientPortListenBacklog serverId".split(
        " ",
      ),
    );
    expect(lines[0]).toBe(`clientPort=${server.port}`);
    expect(lines[2]).toBe(`dataDir=${server.dataDir}/version-2`);
    expect(lines[6]).toMatch(/^tickTime=\d+$/);
  });

  test("dirs and conf count the files there are", async () => {
    const server = await serve();
    await (await server.client()).create("/a");
    const dirs = /^datadir_size: (\d+)\nlogdir_size: (\d+)\n$/.exec(await server.word("dirs"));
    expect(Number(dirs?.[1])).toBeGreaterThan(64 << 10); // the log's space is reserved
    expect(dirs?.[1]).toBe(dirs?.[2]);
  });

  test("dump has sessions by expiry, ephemerals by session and connections", async () => {
    const server = await serve();
    const client = await server.client();
    await client.create("/e1", null, { mode: "ephemeral" });
    const session = `0x${client.sessionId.toString(16)}`;
    const lines = (await server.word("dump")).split("\n");
    expect(lines[0]).toBe("SessionTracker dump:");
    expect(lines[1]).toBe("Session Sets (1)/(1):");
    expect(lines[2]).toMatch(/^1 expire at \w{3} \w{3} \d{2} \d{2}:\d{2}:\d{2} UTC \d{4}:$/);
    expect(lines.slice(3, 8)).toEqual([
      `\t${session}`,
      "ephemeral nodes dump:",
      "Sessions with Ephemerals (1):",
      `${session}:`,
      "\t/e1",
    ]);
    expect(lines[8]).toBe("Connections dump:");
    expect(lines.join("\n")).toMatch(new RegExp(`\tip: /127\\.0\\.0\\.1:\\d+ sessionId: ${session}\n`));
  });

  test("envi begins as Apache's does and says what Node is", async () => {
    const lines = (await (await serve()).word("envi")).split("\n");
    expect(lines[0]).toBe("Environment:");
    expect(lines[1]).toMatch(/^zookeeper\.version=/);
    expect(lines[2]).toMatch(/^host\.name=/);
    expect(lines).toContain(`node.version=${process.version}`);
    for (const key of ["os.name", "os.arch", "user.name", "user.dir", "os.memory.free"]) {
      expect(
        lines.some((line) => line.startsWith(`${key}=`)),
        key,
      ).toBe(true);
    }
  });

  test("mntr is a name, a tab and a value a line", async () => {
    const server = await serve();
    const client = await server.client();
    await client.create("/e", "12345", { mode: "ephemeral" });
    await client.exists("/w", { watch: () => {} });
    const figures = new Map(
      (await server.word("mntr"))
        .trimEnd()
        .split("\n")
        .map((line) => {
          expect(line).toMatch(/^zk_[a-z0-9_]+\t.+$/);
          return line.split("\t") as [string, string];
        }),
    );
    const expected = {
      zk_server_state: "standalone",
      zk_znode_count: "6",
      zk_watch_count: "1",
      zk_ephemerals_count: "1",
      zk_num_alive_connections: "2",
      zk_global_sessions: "1",
      zk_digest_mismatches_count: "0",
      zk_connection_rejected: "0",
    };
    for (const [name, value] of Object.entries(expected)) expect(figures.get(name), name).toBe(value);
    const openFiles = Number(figures.get("zk_open_file_descriptor_count"));
    expect(openFiles).toBeGreaterThan(0);
    expect(Number(figures.get("zk_max_file_descriptor_count"))).toBeGreaterThan(openFiles);
  });

  test("mntr counts what clients ask and are told, and how much that is", async () => {
    const server = await serve();
    const client = await server.client();
    await client.create("/a", "1");
    const seen: string[] = [];
    await client.getData("/a", { watch: ({ kind }) => seen.push(kind) });
    await client.setData("/a", "2");
    await until("the watch", () => seen.length > 0);
    const value = (name: string) => server.figure(name);
    expect(await value("connection_request_count")).toBe(1);
    expect(await value("cnt_updatelatency")).toBe(2);
    expect(await value("cnt_readlatency")).toBe(1);
    expect(await value("cnt_propagation_latency")).toBe(3); // with the session's creation
    expect(await value("sync_processor_request_queued")).toBe(3);
    expect(await value("sum_sync_processor_batch_size")).toBe(3);
    expect(await value("cnt_fsynctime")).toBe(await value("cnt_sync_processor_queue_flush_time_ms"));
    expect(await value("cnt_dbinittime")).toBe(1);
    expect(await value("cnt_snapshottime")).toBe(1);
    expect(await value("watch_bytes")).toBe(16 + 4 + 4 + 4 + "/a".length);
    expect(await value("sum_node_changed_watch_count")).toBe(1);
    expect(await value("cnt_node_created_watch_count")).toBe(0); // nobody watched
    expect(await value("min_client_response_size")).toBe(16 + 4 + "/a".length);
    expect(await value("last_client_response_size")).toBe(16 + 68);
    expect(await value("max_client_response_size")).toBe(16 + 4 + 1 + 68);
    expect(await value("response_bytes")).toBe(22 + 84 + 89);
  });

  test("srst begins anew with counters and summaries, too", async () => {
    const server = await serve();
    const client = await server.client();
    await client.create("/a", "1");
    await server.word("srst");
    const values = (await server.word("mntr")).trimEnd().split("\n");
    const counted = values.filter((line) => /^zk_(avg|min|max|cnt|sum|p50|p95|p99|p999)_|_count\t|_bytes\t/.test(line));
    const still = /^zk_(znode|watch|ephemerals|\w+_file_descriptor|fsync_threshold_exceed)_count|_client_response_size/;
    expect(counted.filter((line) => !still.test(line) && !/\t0(\.0)?$/.test(line))).toEqual([]);
    expect(await server.figure("last_client_response_size")).toBe(-1);
  });

  test("mntr tells a connection that broke off from one whose session was closed", async () => {
    const server = await serve();
    const closing = await server.client();
    await closing.close();
    const raw = await server.raw();
    expect(await server.figure("connection_drop_count")).toBe(0);
    raw.destroy();
    await until("the server to notice", async () => (await server.figure("connection_drop_count")) === 1);
  });

  test("hash has the digest at every 128th zxid", async () => {
    const server = await serve();
    const client = await server.client();
    await Promise.all(Array.from({ length: 300 }, (_, i) => client.create(`/n${i}`)));
    const lines = (await server.word("hash")).trimEnd().split("\n");
    expect(lines.map((line) => line.split(": ")[0])).toEqual(["80", "100"]);
    for (const line of lines) expect(line).toMatch(/^[0-9a-f]+: \d+$/);
  });

  test("wchs, wchc and wchp show data watches and persistent ones, and no plain child watches", async () => {
    const server = await serve();
    const one = await server.raw();
    const other = await server.raw();
    await one.call("exists", getDataRequest, { path: "/a", watch: true });
    await other.call("exists", getDataRequest, { path: "/a", watch: true });
    await one.call("addWatch", addWatchRequest, { path: "/p", mode: 1 });
    await one.call("getChildren", getChildrenRequest, { path: "/", watch: true });
    const name = (raw: { sessionId: bigint }): string => `0x${raw.sessionId.toString(16)}`;

    expect(await server.word("wchs")).toBe("2 connections watching 2 paths\nTotal watches:3\n");
    const byConnection = await server.word("wchc");
    expect(byConnection.endsWith("\n\n")).toBe(true);
    expect(groups(byConnection)).toEqual({ [name(one)]: ["/a", "/p"], [name(other)]: ["/a"] });
    expect(groups(await server.word("wchp"))).toEqual({ "/a": [name(one), name(other)].sort(), "/p": [name(one)] });
  });

  test("wchs counts nothing of connections that are gone", async () => {
    const server = await serve();
    const stays = await server.raw();
    const gone = [await server.raw(), await server.raw(), await server.raw()];
    for (const raw of [stays, ...gone]) await raw.call("exists", getDataRequest, { path: "/a", watch: true });
    for (const raw of gone) {
      raw.send("closeSession");
      await raw.untilClosed();
    }
    expect(await server.word("wchs")).toBe("1 connections watching 1 paths\nTotal watches:1\n");
  });
});

function groups(text: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  let key = "";
  for (const line of text.trimEnd().split("\n")) {
    if (!line.startsWith("\t")) key = line;
    else found[key] = [...(found[key] ?? []), line.slice(1)].sort();
  }
  return found;
}
