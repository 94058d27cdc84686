/** The four-letter words of the client port: what operators and their tools have always asked a ZooKeeper. */
import type { WordContext } from "./word-context.js";
import { answerOf, TELNET_CLOSE, TRACE_MASK_BYTES, words } from "./words.js";

export type { EnsembleView, LeaderView, LearnerView } from "./ensemble-view.js";
export { type Gauge, gauges } from "./gauges.js";
export type { WordContext } from "./word-context.js";

/** A connection, as far as a word needs it. */
interface WordSocket {
  end(text: string): unknown;
}

/** Makes the handler that a new connection's first four bytes are given to; true where they are a word and dealt with. */
export function wordHandler(
  context: WordContext,
): (word: Uint8Array, rest: () => Uint8Array | undefined, socket: WordSocket) => boolean {
  const { fourLetterWords } = context.settings;
  const isAllowed = (word: string): boolean =>
    fourLetterWords === "*" || word === "srvr" || fourLetterWords.includes(word);
  return (bytes, rest, socket) => {
    const word = String.fromCharCode(...bytes);
    if (word === TELNET_CLOSE) {
      socket.end(fourLetterWords === "*" ? "" : refusal("telnet close"));
      return true;
    }
    const entry = words[word];
    if (entry === undefined || !Object.hasOwn(words, word)) return false;
    const argument = word === "stmk" ? rest() : undefined;
    if (word === "stmk" && isAllowed(word) && argument?.length !== TRACE_MASK_BYTES) return true; // its mask is still to come
    socket.end(isAllowed(word) ? answerOf(entry, context, argument) : refusal(word));
    return true;
  };
}

function refusal(word: string): string {
  return `${word} is not executed because it is not in the whitelist.\n`;
}
