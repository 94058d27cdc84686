import { readLong } from "@watchkeeper/wire";
import { describeConnection } from "./connections.js";
import { configuration, environment } from "./environment.js";
import { monitor } from "./monitor.js";
import { digests, dumpSessions, dumpWatches, serverStats, watchSummary } from "./server-views.js";
import type { WordContext } from "./word-context.js";

/**
 * The four-letter words: text commands on the client port, as Apache's servers answer them, to the
 * byte where tools parse them. A word that only some may use is said to be so, never silently dropped.
 */
interface Word {
  readonly answer: (context: WordContext, argument: Uint8Array | undefined) => string;
  /** Answers even while no database is being served. */
  readonly always?: true;
  /** What it says while none is, where that is not Apache's usual line. */
  readonly withoutService?: string;
}

const NOT_SERVING = "This ZooKeeper instance is not currently serving requests";

/** A server that looks for a leader has nothing to tell that would hold a moment later. */
export function answerOf(word: Word, context: WordContext, argument: Uint8Array | undefined): string {
  if (word.always !== true && context.ensemble?.().serves === "nobody")
    return word.withoutService ?? `${NOT_SERVING}\n`;
  return word.answer(context, argument);
}

/** Trace masks mean nothing here; the default is Apache's. */
let traceMask = 306n;

export const words: Readonly<Record<string, Word>> = {
  conf: { answer: configuration },
  cons: {
    answer: (context) => `${[...context.replica.connections].map((one) => describeConnection(one, true)).join("")}\n`,
  },
  crst: { answer: resetConnectionStats },
  dirs: {
    answer: (context) =>
      `datadir_size: ${context.directorySizes().dataDirBytes}\nlogdir_size: ${context.directorySizes().logDirBytes}\n`,
  },
  dump: { answer: dumpSessions },
  envi: { answer: environment, always: true },
  gtmk: { answer: () => String(traceMask), always: true },
  hash: { answer: digests, withoutService: NOT_SERVING },
  isro: { answer: (context) => (context.ensemble?.().serves === "read-only" ? "ro" : "rw"), withoutService: "null" },
  mntr: { answer: monitor },
  ruok: { answer: () => "imok", always: true },
  srst: { answer: resetServerStats },
  srvr: { answer: (context) => serverStats(context, false) },
  stat: { answer: (context) => serverStats(context, true) },
  stmk: { answer: (_context, argument) => setTraceMask(argument), always: true },
  wchc: { answer: (context) => dumpWatches(context, "by-connection") },
  wchp: { answer: (context) => dumpWatches(context, "by-path") },
  wchs: { answer: watchSummary },
};

/** What `stmk` needs behind its four bytes. */
export const TRACE_MASK_BYTES = 8;

export const TELNET_CLOSE = "\u00ff\u00f4\u00ff\u00fd";

function setTraceMask(argument: Uint8Array | undefined): string {
  if (argument !== undefined) traceMask = readLong(argument, 0);
  return String(traceMask);
}

function resetConnectionStats(context: WordContext): string {
  for (const { stats } of context.replica.connections) {
    stats.received = 0;
    stats.sent = 0;
    stats.minLatencyMs = Number.MAX_SAFE_INTEGER;
    stats.maxLatencyMs = 0;
    stats.totalLatencyMs = 0;
  }
  return "Connection stats reset.\n";
}

function resetServerStats(context: WordContext): string {
  context.replica.stats.reset();
  return "Server stats reset.\n";
}
