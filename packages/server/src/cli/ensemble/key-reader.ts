import type { LocalEnsemble } from "./local-ensemble.js";
import type { SupervisedServer } from "./supervised-server.js";

/** What the keys do: a letter says what, the next key to which server. */
const ACTIONS = {
  s: { verb: "stop", act: (server: SupervisedServer) => server.stop() },
  k: { verb: "kill -9", act: (server: SupervisedServer) => server.kill() },
  p: { verb: "pause", act: (server: SupervisedServer) => server.pause() },
  r: { verb: "resume", act: (server: SupervisedServer) => server.resume() },
  u: { verb: "start or restart", act: (server: SupervisedServer) => server.restart() },
} as const;

type ActionKey = keyof typeof ACTIONS;

const CONTROL_C = "\u0003";
const ESCAPE = "\u001b";

export const keysHelp = [
  "s stop   k kill -9   p pause   r resume   u start or restart",
  "and then a server's number, or l for the leader; q stops all of them",
] as const;

/** Follows the keys as they are pressed, one character at a time; a file of them, with line ends, works too. */
export class KeyReader {
  private readonly ensemble: LocalEnsemble;
  private readonly tell: (sentence: string) => void;
  private readonly quit: () => void;
  private chosen: ActionKey | undefined;

  constructor(ensemble: LocalEnsemble, tell: (sentence: string) => void, quit: () => void) {
    this.ensemble = ensemble;
    this.tell = tell;
    this.quit = quit;
  }

  /** What is being asked for; undefined between two wishes. */
  get question(): string | undefined {
    if (this.chosen === undefined) return undefined;
    return `${ACTIONS[this.chosen].verb} which server? 1 to ${this.ensemble.servers.length}, l for the leader, Esc for none`;
  }

  onKeys(text: string): void {
    // A cursor key is an escape with more behind it, and means nothing here.
    if (text.length > 1 && text.startsWith(ESCAPE)) return;
    for (const key of text) this.onKey(key.toLowerCase());
  }

  private onKey(key: string): void {
    if (key === CONTROL_C || key === "q") this.quit();
    else if (key === ESCAPE) this.chosen = undefined;
    else if (key in ACTIONS) this.chosen = key as ActionKey;
    else if (this.chosen !== undefined && key.trim() !== "") this.onTarget(this.chosen, key);
  }

  private onTarget(chosen: ActionKey, key: string): void {
    this.chosen = undefined;
    const server =
      key === "l" ? this.ensemble.leader : this.ensemble.servers.find(({ place }) => String(place.id) === key);
    if (server !== undefined) ACTIONS[chosen].act(server);
    else this.tell(key === "l" ? "there is no leader now" : `there is no server ${key}`);
  }
}
