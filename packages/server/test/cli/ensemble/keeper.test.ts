import { describe, expect, test } from "vitest";
import { askWord } from "../../../src/cli/ensemble/ask.js";
import { Keeper } from "../../../src/cli/ensemble/keeper.js";
import { LocalEnsemble } from "../../../src/cli/ensemble/local-ensemble.js";
import { Screen } from "../../../src/cli/ensemble/screen.js";
import { TurnedClock } from "../../../src/testing/turned-clock.js";
import { TurnedScheduler } from "../../../src/testing/turned-scheduler.js";
import { until } from "../../support/until.js";
import { FakeProcess, FakeWords, NOT_SERVING, place, srvr } from "./fake-servers.js";

/** Of a server that is silent on purpose; the others answer at once, where the machine lets them. */
const ANSWER_TIMEOUT_MS = 2000;
const ESCAPE = "\u001b";
const CONTROLS = new RegExp(`${ESCAPE}\\[\\d*[A-Z]\r?`, "g");

interface Options {
  readonly isTty?: boolean;
  readonly isAttended?: boolean;
  readonly columns?: number;
}

/** Three fake processes that answer on real ports, kept by a real keeper whose time stands still until it is turned. */
class KeptEnsemble {
  readonly processes: FakeProcess[] = [];
  readonly clock = new TurnedClock();
  readonly ensemble: LocalEnsemble;
  readonly keeper: Keeper;
  readonly running: Promise<void>;
  output = "";
  failure: Error | undefined;
  isDone = false;
  private readonly scheduler = new TurnedScheduler(this.clock);
  private looks = 0;

  readonly words: readonly FakeWords[];

  private constructor(words: readonly FakeWords[], { isTty = false, isAttended = true, columns = 200 }: Options) {
    this.words = words;
    const screen = new Screen({ isTty, columns: () => columns, write: (text) => this.write(text) }, () => "12:00:00");
    this.ensemble = new LocalEnsemble(
      words.map(({ port }, index) => place(index + 1, port)),
      {
        launch: () => {
          const launched = new FakeProcess(1001 + this.processes.length);
          this.processes.push(launched);
          return launched;
        },
        lastWords: () => "port 2181 on 127.0.0.1 is in use by another program",
        tell: (sentence) => screen.tell(sentence),
        ask: ({ clientPort }) => {
          this.looks += 1;
          return askWord("127.0.0.1", clientPort, "srvr", ANSWER_TIMEOUT_MS);
        },
        monotonicMs: () => this.clock.monotonicMs(),
      },
    );
    this.keeper = new Keeper(this.ensemble, {
      screen,
      after: (delayMs, task) => this.scheduler.after(delayMs, task),
      epochOf: () => 4,
      isAttended,
      directory: "ensemble",
    });
    this.running = this.keeper.run().then(
      () => {
        this.isDone = true;
      },
      (error: Error) => {
        this.failure = error;
      },
    );
  }

  private write(text: string): void {
    this.output += text;
  }

  static async start(options: Options = {}): Promise<KeptEnsemble> {
    const words = await Promise.all(["leader", "follower", "follower"].map((mode) => FakeWords.listen(srvr(mode))));
    const kept = new KeptEnsemble(words, options);
    await kept.until("server 1 leads");
    return kept;
  }

  say(...answers: (string | undefined)[]): void {
    answers.forEach((answer, index) => {
      this.words[index]!.answer = answer;
    });
  }

  /** Time passes; the keeper's timers that are due by then are called. */
  turn(ms: number): void {
    this.clock.turn(ms);
    this.scheduler.ring();
  }

  /** The keeper looks at its servers once more. */
  async look(): Promise<void> {
    const { looks } = this;
    await until(() => {
      this.turn(250);
      return this.looks >= looks + 2 * this.words.length; // the round before is over then
    });
  }

  /** Looks again and again, a quarter of a second apart, until the text has been written. */
  async until(text: string): Promise<void> {
    await until(
      () => {
        this.turn(250);
        return this.output.includes(text);
      },
      () => `"${text}" in ${this.output}`,
    );
  }
}

describe("the servers are started and shown", () => {
  test("line by line where there is no terminal, with a table for each leader", async () => {
    const kept = await KeptEnsemble.start();
    await kept.until("state");
    const ports = kept.words.map(({ port }) => port);
    expect(kept.output).toContain("12:00:00  server 1 started as process 1001\n");
    expect(kept.output).toContain(
      `12:00:00  clients connect to 127.0.0.1:${ports[0]},127.0.0.1:${ports[1]},127.0.0.1:${ports[2]}\n`,
    );
    expect(kept.output).toContain("12:00:00  server 2 is a follower\n");
    const rows = kept.output.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(rows).toContainEqual(["server", "pid", "role", "epoch", "last zxid", "lag", "clients", "port", "state"]);
    expect(rows).toContainEqual(["1", "1001", "leader", "4", "0x100000007", "0", "2", String(ports[0]), "running"]);
    expect(kept.output).not.toContain("\u001b");
  });

  test("in one place on a terminal: every drawing begins where the last one did", async () => {
    const kept = await KeptEnsemble.start({ isTty: true });
    kept.say(srvr("leader", 0x100000009), srvr("follower", 0x100000004));
    await kept.until("0x100000004  5");
    const [first, ...again] = kept.output.split(`${ESCAPE}[J`).slice(0, -1);
    let linesBefore = first!.split("\n").length - 1;
    expect(again.length).toBeGreaterThan(0);
    for (const drawing of again) {
      expect(drawing.startsWith(`${ESCAPE}[${linesBefore}A\r`)).toBe(true);
      linesBefore = drawing.split("\n").length - 1;
    }
  });

  test("not wider than the terminal, where a line too long would take two and spoil the place", async () => {
    const kept = await KeptEnsemble.start({ isTty: true, columns: 40 });
    for (const line of kept.output.replace(CONTROLS, "").split("\n")) expect(line.length).toBeLessThan(40);
  });

  test.each([80, 40])("whole on a terminal of %s columns: states, ports and keys", async (columns) => {
    const kept = await KeptEnsemble.start({ isTty: true, columns });
    await kept.until("running");
    const drawing = kept.output.replace(CONTROLS, "");
    const text = drawing.replace(/\n {4}/g, " ");
    for (const { port } of kept.words) expect(drawing).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}(,|\n)`));
    expect(drawing).toMatch(/server .* role .* state\n/);
    expect(drawing).toMatch(/1 .* leader .* running\n/);
    expect(text).toContain("u start or restart\n");
    expect(text).toContain("q stops all of them\n");
  });

  test("and not drawn again while nothing changes", async () => {
    const kept = await KeptEnsemble.start({ isTty: true });
    const { length } = kept.output;
    for (let i = 0; i < 3; i++) await kept.look();
    expect(kept.output.length).toBe(length);
  });
});

describe("a fail-over", () => {
  test("is told with the time it took", async () => {
    const kept = await KeptEnsemble.start();
    kept.keeper.onKeys("kl");
    expect(kept.processes[0]!.signals).toEqual(["SIGKILL"]);
    kept.say(undefined, NOT_SERVING, NOT_SERVING);
    await kept.until("server 1 killed");
    await kept.until("server 3 looks for a leader");
    kept.say(undefined, srvr("follower"), srvr("leader", 0x200000001));
    await kept.until("server 3 leads, ");
    expect(kept.output).toMatch(/server 3 leads, \d+\.\d s after the last one was gone\n/);
  });

  test("a table follows with the new leader in it, and the dead server without a pid", async () => {
    const kept = await KeptEnsemble.start();
    kept.keeper.onKeys("k1");
    kept.say(undefined, srvr("follower"), srvr("leader", 0x200000001));
    await kept.until("server 3 leads");
    await kept.until("killed\n  2");
    const rows = kept.output.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(rows).toContainEqual(["1", "-", "-", "4", "-", "-", "-", String(kept.words[0]!.port), "killed"]);
  });
});

describe("keys", () => {
  test.each([
    ["s2", ["SIGTERM"]],
    ["k2", ["SIGKILL"]],
    ["p2", ["SIGSTOP"]],
    ["p2r2", ["SIGSTOP", "SIGCONT"]],
    ["p2s2", ["SIGSTOP", "SIGTERM", "SIGCONT"]], // a paused process takes the SIGTERM only when it goes on
    ["S 2\n", ["SIGTERM"]],
    ["sk2", ["SIGKILL"]],
    ["s\u001b2", []],
    ["x2", []],
    ["2", []],
    ["\u001b[2s", []], // a cursor key
  ])("%j", async (keys, signals) => {
    const kept = await KeptEnsemble.start();
    for (const key of keys.startsWith("\u001b[") ? [keys] : keys) kept.keeper.onKeys(key);
    expect(kept.processes[1]!.signals).toEqual(signals);
    expect([kept.processes[0]!.signals, kept.processes[2]!.signals]).toEqual([[], []]);
  });

  test("u starts a server that is down, and starts one anew that is up", async () => {
    const kept = await KeptEnsemble.start();
    kept.keeper.onKeys("s2");
    await kept.until("server 2 stopped");
    kept.keeper.onKeys("u2");
    await kept.until("server 2 started as process 1004");
    kept.keeper.onKeys("u2");
    expect(kept.processes[3]!.signals).toEqual(["SIGTERM"]);
    await kept.until("server 2 started as process 1005");
  });

  test("ask which server is meant, on the terminal", async () => {
    const kept = await KeptEnsemble.start({ isTty: true });
    kept.keeper.onKeys("p");
    expect(kept.output).toContain("pause which server? 1 to 3, l for the leader, Esc for none");
  });

  test.each([
    ["k7", "there is no server 7"],
    ["r1", "cannot resume server 1: it is running"],
    ["p1p1", "cannot pause server 1: it is paused"],
  ])("%s: %s", async (keys, sentence) => {
    const kept = await KeptEnsemble.start();
    kept.keeper.onKeys(keys);
    expect(kept.output).toContain(sentence);
  });

  test("l means nobody while nobody leads", async () => {
    const kept = await KeptEnsemble.start();
    kept.say(NOT_SERVING, NOT_SERVING, NOT_SERVING);
    await kept.until("server 1 looks for a leader");
    kept.keeper.onKeys("kl");
    expect(kept.output).toContain("there is no leader now");
  });
});

describe("a server that ends by itself", () => {
  test("is told with its last words, and may be started again", async () => {
    const kept = await KeptEnsemble.start();
    kept.processes[2]!.end({ code: 1, signal: null });
    await kept.until("server 3 ended with code 1: port 2181 on 127.0.0.1 is in use by another program");
    kept.keeper.onKeys("u3");
    await kept.until("server 3 started as process 1004");
  });

  test("ends the whole where none is left and nobody could start one", async () => {
    const kept = await KeptEnsemble.start({ isAttended: false });
    for (const each of kept.processes) each.end({ code: 1, signal: null });
    await kept.until("server 3 ended");
    await until(() => {
      kept.turn(250);
      return kept.failure !== undefined;
    });
    expect(kept.failure).toMatchObject({ exitCode: 1 });
    expect(kept.failure?.message).toContain("no server of the ensemble in ensemble is left");
  });
});

describe("the end", () => {
  test.each(["q", "\u0003"])("%j stops every server, paused ones too, and waits for them", async (key) => {
    const kept = await KeptEnsemble.start();
    kept.keeper.onKeys("p3");
    kept.processes[0]!.isObedient = false;
    kept.keeper.onKeys(key);
    await kept.until("server 3 stopped");
    expect(kept.processes.map(({ signals }) => signals.at(-1))).toEqual(["SIGTERM", "SIGTERM", "SIGCONT"]);
    expect(kept.isDone).toBe(false);
    kept.processes[0]!.end({ code: 0, signal: null });
    await kept.running;
    expect(kept.isDone).toBe(true);
  });

  test("a second time kills what has not ended yet", async () => {
    const kept = await KeptEnsemble.start();
    kept.processes[0]!.isObedient = false;
    kept.keeper.onKeys("q");
    kept.keeper.onKeys("q");
    expect(kept.processes[0]!.signals).toEqual(["SIGTERM", "SIGKILL"]);
    await kept.running;
  });

  test("a server that does not stop is killed in the end", async () => {
    const kept = await KeptEnsemble.start();
    kept.processes[1]!.isObedient = false;
    kept.keeper.quit();
    kept.turn(9_999);
    expect(kept.processes[1]!.signals).toEqual(["SIGTERM"]);
    kept.turn(1);
    expect(kept.processes[1]!.signals).toEqual(["SIGTERM", "SIGKILL"]);
    await kept.running;
  });

  test("a server on its way to be started again stays stopped", async () => {
    const kept = await KeptEnsemble.start();
    kept.processes[1]!.isObedient = false;
    kept.keeper.onKeys("u2");
    kept.keeper.onKeys("q");
    kept.processes[1]!.end({ code: 0, signal: null });
    await kept.running;
    expect(kept.processes).toHaveLength(3);
  });
});
