/**
 * The fault tests in their full length, each a command of its own:
 *
 *     npm run build && npx tsc -p test/chaos && node dist/chaos/main.js kill --kills 200 --seed 7
 */
import { parseArgs } from "node:util";
import { clientChaos } from "./client/client-chaos.js";
import { clientSoak } from "./client/client-soak.js";
import { corrupt } from "./corrupt/corrupt.js";
import { crowd } from "./crowd/crowd.js";
import { spoilDisk } from "./disk/disk.js";
import { badInput } from "./ensemble/bad-input/bad-input.js";
import { ensembleChaos } from "./ensemble/ensemble.js";
import { fuzz } from "./fuzz/fuzz.js";
import { killAgainAndAgain } from "./kill/kill.js";
import { oversize } from "./oversize/oversize.js";
import type { FaultReport, Progress } from "./support/fault-report.js";

interface Command {
  readonly what: string;
  /** Flags with their defaults; all are whole numbers. */
  readonly flags: Readonly<Record<string, number>>;
  /** Flags that are words. */
  readonly words?: Readonly<Record<string, string>>;
  readonly run: (
    flags: Readonly<Record<string, number>>,
    progress: Progress,
    words: Readonly<Record<string, string>>,
  ) => Promise<FaultReport>;
}

const commands: Readonly<Record<string, Command>> = {
  client: {
    what: "connections of clients cut, delayed, half-closed, swallowed, doubled",
    flags: { scripts: 100, servers: 1, "at-once": 4 },
    words: { against: "watchkeeper" },
    run: (flags, progress, words) =>
      clientChaos(
        {
          scripts: flags["scripts"]!,
          seed: flags["seed"]!,
          against: kindOption(words["against"]!),
          servers: flags["servers"]!,
          atOnce: flags["at-once"]!,
        },
        progress,
      ),
  },
  kill: {
    what: "kill -9 under load",
    flags: { kills: 200, "apache-every": 20 },
    run: (flags, progress) =>
      killAgainAndAgain(
        { kills: flags["kills"]!, seed: flags["seed"]!, apacheEvery: flags["apache-every"]! },
        progress,
      ),
  },
  "client-soak": {
    what: "clients disconnected every second, with all that they can open and close",
    flags: { minutes: 10 },
    run: (flags, progress) => clientSoak({ seconds: flags["minutes"]! * 60, seed: flags["seed"]! }, progress),
  },
  corrupt: {
    what: "files cut at every byte, bits flipped",
    flags: { "cut-step": 1, flips: 10_000 },
    run: (flags, progress) =>
      corrupt({ seed: flags["seed"]!, cutStep: flags["cut-step"]!, flips: flags["flips"]! }, progress),
  },
  disk: {
    what: "disks that are full, read-only or fail",
    flags: { rounds: 20 },
    run: (flags, progress) => spoilDisk({ seed: flags["seed"]!, rounds: flags["rounds"]! }, progress),
  },
  fuzz: {
    what: "mutated frames on the client port",
    flags: { frames: 1_000_000, "memory-mib": 512, "control-ms": 3000 },
    run: (flags, progress) =>
      fuzz(
        {
          frames: flags["frames"]!,
          seed: flags["seed"]!,
          memoryMiBMax: flags["memory-mib"]!,
          controlMsMax: flags["control-ms"]!,
        },
        progress,
      ),
  },
  crowd: {
    what: "thousands of connections that do not behave",
    flags: { connections: 5000, "work-ms": 8000, "percent-min": 80, "memory-mib": 1024 },
    run: (flags, progress) =>
      crowd(
        {
          connections: flags["connections"]!,
          workMs: flags["work-ms"]!,
          percentMin: flags["percent-min"]!,
          memoryMiBMax: flags["memory-mib"]!,
        },
        progress,
      ),
  },
  ensemble: {
    what: "servers of an ensemble killed, paused, cut off, torn, under a recorded load",
    flags: { servers: 3, seconds: 60, sessions: 8, keys: 12 },
    words: { kinds: "T", tear: "watchkeeper", only: "" },
    run: (flags, progress, words) =>
      ensembleChaos(
        {
          servers: flags["servers"]!,
          seconds: flags["seconds"]!,
          seed: flags["seed"]!,
          sessions: flags["sessions"]!,
          keys: flags["keys"]!,
          kinds: words["kinds"]!,
          tear: tearOption(words["tear"]!),
          only: words["only"]!,
        },
        progress,
      ),
  },
  "bad-peers": {
    what: "mutated messages on the ports between the servers",
    flags: { messages: 100_000 },
    words: { kinds: "TTT" },
    run: (flags, progress, words) =>
      badInput({ messages: flags["messages"]!, seed: flags["seed"]!, kinds: words["kinds"]! }, progress),
  },
  oversize: {
    what: "frames and replies at and above the limit",
    flags: { children: 200_000 },
    run: (flags, progress) => oversize({ children: flags["children"]! }, progress),
  },
};

async function main(): Promise<number> {
  const [name = "", ...rest] = process.argv.slice(2);
  const command = commands[name];
  if (command === undefined) {
    console.error(usage());
    return 2;
  }
  const flags = { seed: Math.floor(Math.random() * 1e6), ...command.flags };
  const words = command.words ?? {};
  const names = [...Object.keys(flags), ...Object.keys(words)];
  const options = Object.fromEntries(names.map((flag) => [flag, { type: "string" as const }]));
  const values = Object.entries(parseArgs({ args: rest, options }).values as Record<string, string>);
  const given = Object.fromEntries(
    values.filter(([flag]) => flag in flags).map(([flag, value]) => [flag, Number(value)]),
  );
  const spoken = { ...words, ...Object.fromEntries(values.filter(([flag]) => flag in words)) };
  const startedMs = performance.now();
  const elapsed = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`.padStart(8);
  const all = { ...flags, ...given };
  console.log(
    `${name} ${Object.entries({ ...all, ...spoken })
      .map(([flag, value]) => `--${flag} ${value}`)
      .join(" ")}`,
  );
  const { summary, faults } = await command.run(all, (line) => console.log(`${elapsed()}  ${line}`), spoken);
  for (const fault of faults) console.log(`FAULT ${fault}`);
  console.log(`${faults.length === 0 ? "passed" : "FAILED"} in ${elapsed().trim()}: ${summary}`);
  return faults.length === 0 ? 0 : 1;
}

function kindOption(word: string): "watchkeeper" | "apache" {
  if (word === "watchkeeper" || word === "apache") return word;
  throw new Error(`--against ${word}: it must be watchkeeper or apache`);
}

function tearOption(word: string): "none" | "watchkeeper" | "all" {
  if (word === "none" || word === "watchkeeper" || word === "all") return word;
  throw new Error(`--tear ${word}: it must be none, watchkeeper or all`);
}

function usage(): string {
  const lines = Object.entries(commands).map(([name, { what, flags, words }]) => {
    const options = Object.entries({ seed: "random", ...flags, ...words }).map(([flag, value]) => `--${flag} ${value}`);
    return `  ${name.padEnd(10)} ${what}\n             ${options.join(" ")}`;
  });
  return `Which fault? The flags are shown with their defaults.\n${lines.join("\n")}`;
}

process.exitCode = await main();
