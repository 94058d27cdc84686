import { describe, expect, test } from "vitest";
import { checkHistory } from "./check-history.js";
import type { Answer, Call, FinalState, History, Observed, Operation, WatchEvent, Write } from "./history.js";
import { ModelEnsemble } from "./model-ensemble.js";

const PATH = "/n";

function create(data: string, path = PATH): Call {
  return { kind: "write", writes: [{ kind: "create", path, data }] };
}

function set(data: string, version = -1, path = PATH): Call {
  return { kind: "write", writes: [{ kind: "set", path, data, version }] };
}

function remove(path = PATH): Call {
  return { kind: "write", writes: [{ kind: "delete", path, version: -1 }] };
}

function read(watch = false): Call {
  return { kind: "read", path: PATH, watch };
}

function node(data: string, version: number, mzxid: number, czxid = 1): Observed {
  return { data, version, czxid, mzxid };
}

/** One after the other, a unit of time each, unless told otherwise. */
class Story {
  private readonly operations: Operation[] = [];
  private readonly events: WatchEvent[] = [];
  private readonly finals: FinalState[] = [];
  private clock = 0;

  did(session: string, call: Call, answer?: Omit<Answer, "arrival">, times?: readonly [number, number]): this {
    const invokedAt = times?.[0] ?? ++this.clock;
    const returnedAt = answer === undefined ? undefined : (times?.[1] ?? ++this.clock);
    const sequence = this.operations.filter((one) => one.session === session).length;
    const told = answer === undefined ? undefined : { ...answer, arrival: ++this.clock };
    this.operations.push({ session, sequence, call, invokedAt, returnedAt, answer: told, connection: 1 });
    return this;
  }

  event(session: string): this {
    this.events.push({ session, connection: 1, path: PATH, arrival: ++this.clock });
    return this;
  }

  ends(...states: readonly (Observed | undefined)[]): this {
    states.forEach((state, i) => {
      this.finals.push({ server: `server ${i + 1}`, nodes: new Map(state === undefined ? [] : [[PATH, state]]) });
    });
    return this;
  }

  rules(): string[] {
    const history = { operations: this.operations, events: this.events, finals: this.finals };
    return [...new Set(checkHistory(history).map(({ rule }) => rule))];
  }
}

describe("histories that a ZooKeeper may have", () => {
  test("writes, refusals and stale reads of another session", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("b", create("two"), { zxid: 2, error: "NODE_EXISTS" })
      .did("a", set("three", 0), { zxid: 3, versions: [1] })
      .did("c", read(), { zxid: 2, node: node("one", 0, 1) })
      .did("b", set("four", 0), { zxid: 4, error: "BAD_VERSION" })
      .did("c", read(), { zxid: 4, node: node("three", 1, 3) })
      .did("a", remove(), { zxid: 5 })
      .did("a", set("five"), { zxid: 6, error: "NO_NODE" })
      .ends(undefined, undefined, undefined);
    expect(story.rules()).toEqual([]);
  });

  test("an unanswered write that happened, and was seen", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"))
      .did("b", read(), { zxid: 2, node: node("two", 1, 2) })
      .ends(node("two", 1, 2));
    expect(story.rules()).toEqual([]);
  });

  test("an unanswered write that never happened", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"))
      .ends(node("one", 0, 1));
    expect(story.rules()).toEqual([]);
  });

  test("an unanswered delete that nothing but its consequences shows", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", remove())
      .did("b", create("two"), { zxid: 3 })
      .ends(node("two", 0, 3, 3));
    expect(story.rules()).toEqual([]);
  });

  test("an unanswered write that was written over unseen leaves its version behind", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"))
      .did("b", set("three"), { zxid: 3, versions: [2] })
      .ends(node("three", 2, 3));
    expect(story.rules()).toEqual([]);
  });

  test("a multi of which only one write was seen, though it was never answered", () => {
    const writes: Write[] = [
      { kind: "create", path: PATH, data: "one" },
      { kind: "create", path: "/m", data: "two" },
    ];
    const story = new Story()
      .did("a", { kind: "write", writes })
      .did("b", read(), { zxid: 1, node: node("one", 0, 1) })
      .did("b", create("three", "/m"), { zxid: 2, error: "NODE_EXISTS" });
    expect(story.rules()).toEqual([]);
  });

  test("M7: an event, and then the answer that shows the change", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("b", read(true), { zxid: 1, node: node("one", 0, 1) })
      .did("a", set("two"), { zxid: 2, versions: [1] })
      .event("b")
      .did("b", read(), { zxid: 2, node: node("two", 1, 2) });
    expect(story.rules()).toEqual([]);
  });
});

describe("histories that no ZooKeeper may have", () => {
  test("an acknowledged write is not there in the end", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"), { zxid: 2, versions: [1] })
      .ends(node("one", 0, 1));
    expect(story.rules()).toEqual(["a lost write"]);
  });

  test("a server ends with something else than the others", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"))
      .ends(node("two", 1, 2), node("one", 0, 1));
    expect(story.rules()).toContain("servers differ");
  });

  test("two sets of the same version succeed", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two", 0), { zxid: 2, versions: [1] })
      .did("b", set("three", 0), { zxid: 3, versions: [1] });
    expect(story.rules()).toEqual(["sequential model"]);
  });

  test("two creates of one node succeed", () => {
    const story = new Story().did("a", create("one"), { zxid: 1 }).did("b", create("two"), { zxid: 2 });
    expect(story.rules()).toEqual(["sequential model"]);
  });

  test("a write is refused for a node that is there", () => {
    const story = new Story().did("a", create("one"), { zxid: 1 }).did("b", set("two"), { zxid: 2, error: "NO_NODE" });
    expect(story.rules()).toEqual(["sequential model"]);
  });

  test("a set is refused for a version the node has", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("b", set("two", 0), { zxid: 2, error: "BAD_VERSION" });
    expect(story.rules()).toEqual(["sequential model"]);
  });

  test("two writes have one zxid", () => {
    const story = new Story().did("a", create("one"), { zxid: 1 }).did("b", create("two", "/m"), { zxid: 1 });
    expect(story.rules()).toEqual(["two writes with one zxid"]);
  });

  test("a write is ordered before one that was over before it began", () => {
    const story = new Story()
      .did("a", create("one", "/a"), { zxid: 2 }, [1, 2])
      .did("b", create("two", "/b"), { zxid: 1 }, [3, 4]);
    expect(story.rules()).toEqual(["real-time order"]);
  });

  test("an unanswered write happens before it was sent", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("b", read(), { zxid: 2, node: undefined })
      .did("a", remove());
    expect(story.rules()).toEqual(["a read at odds with the writes"]);
  });

  test("W2: an unanswered write happens behind the next one of its session", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"))
      .did("a", set("three"), { zxid: 2, versions: [1] })
      .did("b", set("four"), { zxid: 4, versions: [3] });
    expect(story.rules()).toEqual(["sequential model"]);
  });

  test("an unanswered write happens twice", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"))
      .did("b", read(), { zxid: 2, node: node("two", 1, 2) })
      .did("b", set("three"), { zxid: 3, versions: [2] })
      .did("b", read(), { zxid: 4, node: node("two", 3, 4) });
    expect(story.rules()).toContain("a write at two zxids");
  });

  test("a session is shown an older tree than before", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"), { zxid: 2, versions: [1] })
      .did("b", read(), { zxid: 2, node: node("two", 1, 2) })
      .did("b", read(), { zxid: 1, node: node("one", 0, 1) });
    expect(story.rules()).toEqual(["a session goes back"]);
  });

  test("a session does not see its own write", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("a", set("two"), { zxid: 2, versions: [1] })
      .did("a", read(), { zxid: 2, node: node("one", 0, 1) });
    expect(story.rules()).toEqual(["a read at odds with the writes"]);
  });

  test("a read shows data that nobody wrote", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("b", read(), { zxid: 1, node: node("what", 0, 1) });
    expect(story.rules()).toContain("data out of nowhere");
  });

  test("a read shows the data of a write that was refused", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("b", create("two"), { zxid: 2, error: "NODE_EXISTS" })
      .did("b", read(), { zxid: 2, node: node("two", 0, 2, 2) });
    expect(story.rules()).toContain("data out of nowhere");
  });

  test("half of a multi happens", () => {
    const writes: Write[] = [
      { kind: "create", path: PATH, data: "one" },
      { kind: "create", path: "/m", data: "two" },
    ];
    const story = new Story()
      .did("a", { kind: "write", writes })
      .did("b", read(), { zxid: 1, node: node("one", 0, 1) })
      .did("b", create("three", "/m"), { zxid: 2 });
    expect(story.rules()).toEqual(["sequential model"]);
  });

  test("M7: the change is shown before its event", () => {
    const story = new Story()
      .did("a", create("one"), { zxid: 1 })
      .did("b", read(true), { zxid: 1, node: node("one", 0, 1) })
      .did("a", set("two"), { zxid: 2, versions: [1] })
      .did("b", read(), { zxid: 2, node: node("two", 1, 2) })
      .event("b");
    expect(story.rules()).toEqual(["a watch event too late"]);
  });
});

/** mulberry32. */
function seeded(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

type Mutation = (history: History, random: (bound: number) => number) => History | undefined;

function withOperation(history: History, chosen: Operation, answer: Partial<Answer>): History {
  const changed = { ...chosen, answer: { ...chosen.answer!, ...answer } };
  return { ...history, operations: history.operations.map((one) => (one === chosen ? changed : one)) };
}

function pick<T>(list: readonly T[], random: (bound: number) => number): T | undefined {
  return list.length === 0 ? undefined : list[random(list.length)];
}

const isSuccess = ({ call, answer }: Operation): boolean =>
  call.kind === "write" && answer !== undefined && answer.error === undefined;
const succeeded = ({ operations }: History): readonly Operation[] => operations.filter(isSuccess);
const shown = ({ operations }: History): readonly Operation[] =>
  operations.filter(({ answer }) => answer?.node !== undefined);

/** Each makes one thing false that the clients of the model were told. */
const mutations: Readonly<Record<string, Mutation>> = {
  "a read shows the node one version back": (history, random) => {
    const one = pick(shown(history), random);
    const was = one?.answer?.node;
    return was === undefined ? undefined : withOperation(history, one!, { node: { ...was, version: was.version - 1 } });
  },
  "a read shows another modification zxid": (history, random) => {
    const one = pick(shown(history), random);
    const was = one?.answer?.node;
    return was === undefined ? undefined : withOperation(history, one!, { node: { ...was, mzxid: was.mzxid + 1 } });
  },
  "a read does not find a node that is there": (history, random) => {
    const one = pick(shown(history), random);
    return one === undefined ? undefined : withOperation(history, one, { node: undefined });
  },
  "a set answers another version": (history, random) => {
    const one = pick(
      succeeded(history).filter(({ answer }) => answer!.versions?.[0] !== undefined),
      random,
    );
    return one === undefined ? undefined : withOperation(history, one, { versions: [one.answer!.versions![0]! + 9] });
  },
  "a write has the zxid of another": (history, random) => {
    const [one, other] = [pick(succeeded(history), random), pick(succeeded(history), random)];
    if (one === undefined || other === undefined || one === other) return undefined;
    return withOperation(history, one, { zxid: other.answer!.zxid });
  },
  "two writes of one session have each other's zxid": (history, random) => {
    const one = pick(succeeded(history), random);
    const other = succeeded(history).find(
      ({ session, sequence }) => session === one?.session && sequence > one.sequence,
    );
    if (one === undefined || other === undefined) return undefined;
    const first = withOperation(history, one, { zxid: other.answer!.zxid });
    return withOperation(first, other, { zxid: one.answer!.zxid });
  },
  "a write that was refused was successful": (history, random) => {
    const refused = history.operations.filter(({ answer }) => answer?.error !== undefined && answer.error !== "OTHER");
    const one = pick(refused, random);
    return one === undefined ? undefined : withOperation(history, one, { error: undefined });
  },
  "a server has lost its last write": (history, random) => {
    const { nodes, server } = history.finals[random(history.finals.length)]!;
    const path = pick([...nodes.keys()], random);
    if (path === undefined) return undefined;
    const less = new Map([...nodes].filter(([one]) => one !== path));
    return { ...history, finals: history.finals.map((one) => (one.server === server ? { server, nodes: less } : one)) };
  },
  "a session is answered with a zxid of before": (history, random) => {
    const answered = history.operations.filter(({ answer, call }) => answer !== undefined && call.kind === "read");
    const one = pick(
      answered.filter(({ answer }) => answer!.zxid > 1),
      random,
    );
    const earlier = history.operations.some(
      ({ session, sequence, answer }) =>
        session === one?.session && sequence < one.sequence && answer !== undefined && answer.zxid === one.answer!.zxid,
    );
    return one === undefined || !earlier ? undefined : withOperation(history, one, { zxid: one.answer!.zxid - 1 });
  },
};

describe("random histories of an obvious ensemble", () => {
  const seeds = Array.from({ length: 60 }, (_, i) => i + 1);
  const drawn = (unknownOneIn: number): History[] =>
    seeds.map((seed) => new ModelEnsemble(seeded(seed), 4, 5, unknownOneIn).run(400));
  const withUnknown = drawn(12);
  /** Where everything was answered nothing can be explained away. */
  const allAnswered = drawn(0);

  test.each([
    ["with unanswered writes", withUnknown],
    ["all answered", allAnswered],
  ])("pass, %s", (_name, histories) => {
    for (const [i, history] of histories.entries()) {
      expect({ seed: seeds[i], violations: checkHistory(history) }).toEqual({ seed: seeds[i], violations: [] });
    }
  });

  test.each(Object.entries(mutations))("do not pass where %s", (_name, mutate) => {
    let tried = 0;
    for (const [i, history] of allAnswered.entries()) {
      const mutant = mutate(history, seeded(1000 + i));
      if (mutant === undefined) continue;
      tried += 1;
      expect({ seed: seeds[i], passes: checkHistory(mutant).length === 0 }).toEqual({ seed: seeds[i], passes: false });
    }
    expect(tried).toBeGreaterThan(20);
  });

  test("do not pass where a write that was seen is taken back at the end, answered or not", () => {
    for (const history of withUnknown) {
      const [path, seen] = [...history.finals[0]!.nodes][0] ?? [];
      if (path === undefined || seen === undefined) continue;
      const finals = history.finals.map(({ server, nodes }) => ({
        server,
        nodes: new Map([...nodes, [path, { ...seen, version: seen.version + 1 }]]),
      }));
      expect(checkHistory({ ...history, finals })).not.toEqual([]);
    }
  });

  test("do not pass where an event is missing before what it tells of", () => {
    let tried = 0;
    for (const history of allAnswered) {
      for (const event of history.events.slice(0, 5)) {
        const mutant = { ...history, events: history.events.filter((one) => one !== event) };
        tried += 1;
        expect(checkHistory(mutant).map(({ rule }) => rule)).toContain("a watch event too late");
      }
    }
    expect(tried).toBeGreaterThan(100);
  });
});
