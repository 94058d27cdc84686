import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ServerSettings } from "../../../src/service/config/index.js";
import { type EnsembleView, wordHandler } from "../../../src/service/four-letter-words/index.js";
import { EnsembleConfig, parseServerLine } from "../../../src/zab/index.js";
import { ReplicaWorld } from "../../replica/replica-world.js";
import { readZooCfg } from "../config/read-zoo-cfg.js";

type Word = "srvr" | "stat" | "mntr" | "conf" | "isro" | "dump" | "hash" | "ruok" | "gtmk";

const golden = JSON.parse(readFileSync(new URL("apache-3.8.0.json", import.meta.url), "utf8")) as {
  answers: Record<
    "leader" | "follower" | "observer" | "readOnly" | "looking" | "followerWithStaticClientPort",
    Record<string, string>
  >;
  summaries: string[];
  summariesWithPercentiles: string[];
};

const SERVERS = [1, 2, 3, 4].map((id) => {
  const role = id === 4 ? ":observer" : "";
  return `127.0.0.1:2302${id}:2303${id}${role};127.0.0.1:2301${id}`;
});

function settingsOf(myid: number, more = "", servers = SERVERS): ServerSettings {
  const lines = servers.map((line, index) => `server.${index + 1}=${line}`);
  const text = [
    "dataDir=/data",
    "tickTime=500",
    "initLimit=10",
    "syncLimit=5",
    "4lw.commands.whitelist=*",
    more,
    ...lines,
  ];
  return readZooCfg(text.join("\n"), { otherFiles: { "/data/myid": String(myid) } }).settings;
}

const CONFIG = settingsOf(1).ensemble!.config;

const FOLLOWING: EnsembleView = {
  state: "following",
  phase: "broadcast",
  syncMode: undefined,
  serves: "all",
  config: CONFIG,
  leaderId: 3,
  leader: undefined,
};
const OBSERVING: EnsembleView = { ...FOLLOWING, state: "observing" };
const LOOKING: EnsembleView = {
  ...FOLLOWING,
  state: "looking",
  phase: "election",
  serves: "nobody",
  leaderId: undefined,
};
const READ_ONLY: EnsembleView = { ...LOOKING, serves: "read-only" };
const LEADING: EnsembleView = {
  ...FOLLOWING,
  state: "leading",
  leader: {
    learners: [
      { id: 1, role: "follower", isSynced: true },
      { id: 2, role: "follower", isSynced: true },
      { id: 4, role: "observer", isSynced: true },
    ],
    historyZxid: 0x1_0000_0000,
    uptimeMs: 2432.7,
    pendingSyncs: 0,
  },
};

/** A server of the ensemble as its words see it. */
class SpokenTo {
  readonly world = new ReplicaWorld();
  private readonly handle: ReturnType<typeof wordHandler>;

  constructor(view: EnsembleView | undefined, settings = settingsOf(1)) {
    this.handle = wordHandler({
      replica: this.world.replica,
      settings,
      clientPort: () => settings.clientAddress.port,
      directorySizes: () => ({ dataDirBytes: 1, logDirBytes: 2 }),
      fsyncThresholdExceedCount: () => 0,
      ...(view === undefined ? {} : { ensemble: () => view }),
    });
  }

  ask(word: string): string {
    let answer: string | undefined;
    const socket = { end: (text: string) => (answer = text) };
    expect(this.handle(Buffer.from(word, "latin1"), () => undefined, socket)).toBe(true);
    return answer!;
  }
}

function ask(word: Word, view: EnsembleView | undefined, settings?: ServerSettings): string {
  return new SpokenTo(view, settings).ask(word);
}

/** The text with what differs from run to run masked: numbers, the version, paths. */
function shape(text: string): string {
  return text
    .replace(/^Zookeeper version: .*/m, "Zookeeper version: V")
    .replace(/=\/.*$/gm, "=PATH")
    .replace(/0x[0-9a-f]+|-?\d+(\.\d+)?/g, "N");
}

function figures(text: string): Map<string, string> {
  return new Map(
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t") as [string, string]),
  );
}

const ofSummary = new Set([
  ...[...golden.summaries, ...golden.summariesWithPercentiles].flatMap((name) =>
    ["avg", "min", "max", "cnt", "sum"].map((value) => `zk_${value}_${name}`),
  ),
  ...golden.summariesWithPercentiles.flatMap((name) => ["p50", "p95", "p99", "p999"].map((p) => `zk_${p}_${name}`)),
]);

const ROLES = [
  ["leader", LEADING, 3],
  ["follower", FOLLOWING, 1],
  ["observer", OBSERVING, 4],
  ["readOnly", READ_ONLY, 1],
] as const;

describe.each(ROLES)("%s", (role, view, myid) => {
  const apache = golden.answers[role];

  test("srvr has Apache's lines", () => {
    expect(shape(ask("srvr", view))).toBe(shape(apache["srvr"]!));
  });

  test("stat has Apache's lines around the clients'", async () => {
    const server = new SpokenTo(view);
    const clients = (apache["stat"]!.match(/^ \/127/gm) ?? []).length;
    for (let i = 0; i < clients; i++) server.world.connect();
    expect(shape(server.ask("stat")).replaceAll("[N]", "")).toBe(shape(apache["stat"]!).replaceAll("[N]", ""));
  });

  test("conf has Apache's keys and members, to the last byte of the text", () => {
    expect(shape(ask("conf", view, settingsOf(myid)))).toBe(shape(apache["conf"]!));
  });

  test("isro", () => {
    expect(ask("isro", view)).toBe(apache["isro"]);
  });

  test("dump begins as Apache's does", async () => {
    const server = new SpokenTo(view);
    const sessions = /Global Sessions\((\d+)\)/.exec(apache["dump"]!)?.[1];
    for (let i = 0; i < Number(sessions ?? 1); i++) await server.world.open();
    const head = (text: string) => shape(text.slice(0, text.indexOf("ephemeral nodes dump:"))).split("\n");
    const own = head(server.ask("dump"));
    // Apache's has a line of its own for local sessions where those are enabled, as read-only mode needs there.
    const expected = head(apache["dump"]!).filter((line) => !line.startsWith("Local Session Sets"));
    if (sessions === undefined) expect(own.slice(0, 2)).toEqual(expected.slice(0, 2));
    else expect(own).toEqual(expected);
  });

  test("mntr begins with Apache's lines, and names nothing that Apache's does not have in this role", () => {
    const own = [...figures(ask("mntr", view))];
    const known = figures(apache["mntr"]!);
    const first = [...known].findIndex(([name]) => name === "zk_ephemerals_count");
    expect(own.slice(1, first)).toEqual([...known].slice(1, first));
    const counted = new Set(["zk_fsync_threshold_exceed_count"]); // until 3.5
    const isKnown = (name: string) => known.has(name) || counted.has(name) || ofSummary.has(name);
    expect(own.map(([name]) => name).filter((name) => !isKnown(name))).toEqual([]);
  });
});

describe("mntr", () => {
  const ENSEMBLES_OWN =
    /^zk_(peer_state|observer_master_id|quorum_size|learners|synced_\w+|pending_syncs|leader_uptime|(last|min|max)_proposal_size)$/;

  test.each(ROLES)("of a %s leaves out nothing that only ensembles have", (role, view) => {
    const names = [...figures(ask("mntr", view)).keys()].filter((name) => ENSEMBLES_OWN.test(name)).sort();
    const expected = [...figures(golden.answers[role]["mntr"]!).keys()].filter((name) => ENSEMBLES_OWN.test(name));
    expect(names).toEqual(expected.sort());
  });

  test("of a leader has the figures of the learners that Apache's had", () => {
    const server = new SpokenTo(LEADING);
    for (const bytes of [64, 48, 92]) server.world.replica.stats.proposalBytes.add(bytes);
    const own = figures(server.ask("mntr"));
    const apache = figures(golden.answers.leader["mntr"]!);
    for (const name of apache.keys())
      if (ENSEMBLES_OWN.test(name)) expect([name, own.get(name)]).toEqual([name, apache.get(name)]);
  });

  test("counts only learners in step, each by its role", () => {
    const learners: NonNullable<EnsembleView["leader"]>["learners"] = [
      { id: 1, role: "follower", isSynced: true },
      { id: 2, role: "follower", isSynced: false },
      { id: 4, role: "observer", isSynced: false },
      { id: 7, role: "non-voting follower", isSynced: true },
    ];
    const own = figures(ask("mntr", { ...LEADING, leader: { ...LEADING.leader!, learners, pendingSyncs: 3 } }));
    const found = ["learners", "synced_followers", "synced_non_voting_followers", "synced_observers", "pending_syncs"];
    expect(found.map((name) => own.get(`zk_${name}`))).toEqual(["4", "1", "1", "0", "3"]);
  });

  test("before the first proposal its sizes are -1, in srvr too", () => {
    expect(figures(ask("mntr", LEADING)).get("zk_max_proposal_size")).toBe("-1");
    expect(ask("srvr", LEADING)).toMatch(/\nProposal sizes last\/min\/max: -1\/-1\/-1\n$/);
  });

  test("tells how a learner is brought up to date", () => {
    const own = figures(ask("mntr", { ...FOLLOWING, phase: "synchronization", syncMode: "diff" }));
    expect(own.get("zk_peer_state")).toBe("following - synchronization - diff");
  });
});

describe("the zxid of srvr", () => {
  const zxidOf = (view: EnsembleView) => /^Zxid: (.*)$/m.exec(ask("srvr", view))?.[1];

  test("of a leader is the beginning of its epoch until the epoch has a txn", () => {
    expect(zxidOf({ ...LEADING, leader: { ...LEADING.leader!, historyZxid: 0x5_0000_0000 } })).toBe("0x500000000");
    expect(zxidOf({ ...LEADING, leader: { ...LEADING.leader!, historyZxid: 0 } })).toBe("0x0");
  });

  test("of a learner is that of the last txn it has", () => {
    expect(zxidOf(FOLLOWING)).toBe("0x0");
  });
});

describe("conf", () => {
  test("leaves the client part out of members that have their client port in a key of its own", () => {
    const servers = [1, 2, 3].map((id) => `127.0.0.1:2302${id}:2303${id}`);
    const settings = settingsOf(1, "clientPort=23011", servers);
    const own = ask("conf", { ...FOLLOWING, config: settings.ensemble!.config }, settings);
    expect(shape(own)).toBe(shape(golden.answers.followerWithStaticClientPort["conf"]!));
  });

  test("shows the members of the configuration that holds, not of the file", () => {
    const servers = [{ ...parseServerLine("1", SERVERS[0]!) }];
    const config = EnsembleConfig.of({ version: 0x100000005, servers, groups: [], weights: [] });
    expect(ask("conf", { ...FOLLOWING, config })).toMatch(
      /membership: \nserver\.1=127\.0\.0\.1:23021:23031:participant;127\.0\.0\.1:23011\nversion=100000005$/,
    );
  });
});

describe("while there is no leader", () => {
  const apache = golden.answers.looking;

  test.each(Object.keys(apache))("%s answers as Apache's does", (word) => {
    expect(ask(word as Word, LOOKING)).toBe(apache[word]);
  });

  test("a leader that is not served by enough others yet, too", () => {
    const view: EnsembleView = { ...LEADING, phase: "discovery", serves: "nobody" };
    expect(ask("srvr", view)).toBe("This ZooKeeper instance is not currently serving requests\n");
  });
});

test("a single server is what it always was", () => {
  expect(ask("srvr", undefined)).toContain("\nMode: standalone\n");
  expect(ask("mntr", undefined)).not.toMatch(ENSEMBLE_NAMES);
  expect(ask("isro", undefined)).toBe("rw");
});

const ENSEMBLE_NAMES = /zk_(peer_state|quorum_size|learners|synced_followers)/;
