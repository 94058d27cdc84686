import type { Timer } from "../../ports/index.js";
import { CliError } from "../cli-error.js";
import { KeyReader, keysHelp } from "./key-reader.js";
import type { LocalEnsemble } from "./local-ensemble.js";
import type { Screen, View } from "./screen.js";
import { describeProcess, type SupervisedServer } from "./supervised-server.js";
import { tableLines } from "./table.js";

export interface KeeperWorld {
  readonly screen: Screen;
  readonly after: (delayMs: number, task: () => void) => Timer;
  readonly epochOf: (server: SupervisedServer) => number | undefined;
  /** Whether somebody may start again what has failed. */
  readonly isAttended: boolean;
  /** The directory as the user named it. */
  readonly directory: string;
}

const OBSERVE_INTERVAL_MS = 250;
/** A server that was asked to stop and has not by then is killed. */
const STOP_PATIENCE_MS = 10_000;

/** Keeps an ensemble going in front of somebody: starts it, looks at it, shows it, and leaves no process behind. */
export class Keeper {
  readonly keys: KeyReader;
  private readonly ensemble: LocalEnsemble;
  private readonly world: KeeperWorld;
  private stopping: Promise<void> | undefined;
  /** Cuts a pause between two looks short. */
  private wake: () => void = () => {};

  constructor(ensemble: LocalEnsemble, world: KeeperWorld) {
    this.ensemble = ensemble;
    this.world = world;
    this.keys = new KeyReader(
      ensemble,
      (sentence) => world.screen.tell(sentence),
      () => this.quit(),
    );
  }

  onKeys(text: string): void {
    this.keys.onKeys(text);
    this.draw();
  }

  /** The first time asks the servers to stop, the second time does not wait for it. */
  quit(): void {
    if (this.stopping !== undefined) {
      this.ensemble.killAll();
      return;
    }
    this.world.screen.tell("stopping every server; once more to kill them");
    const impatience = this.world.after(STOP_PATIENCE_MS, () => this.ensemble.killAll());
    this.stopping = this.ensemble.stop().then(() => impatience.cancel());
    this.wake();
  }

  /** Resolves when the servers have stopped as asked; throws where they ended and nobody can start them again. */
  async run(): Promise<void> {
    const { ensemble, world } = this;
    this.draw();
    ensemble.start();
    world.screen.tell(`clients connect to ${ensemble.connectString}`);
    while (this.stopping === undefined) {
      await ensemble.observe();
      this.draw();
      if (ensemble.hasFailed && !world.isAttended) throw new CliError("failure", this.failure());
      await this.pause();
    }
    await this.stopping;
    this.draw();
  }

  private pause(): Promise<void> {
    if (this.stopping !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.world.after(OBSERVE_INTERVAL_MS, resolve);
      this.wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  private failure(): string {
    const { name } = this.ensemble.servers.find((server) => server.hasFailed)!;
    return `no server of the ensemble in ${this.world.directory} is left; what was said of ${name} above is why`;
  }

  private draw(): void {
    this.world.screen.draw(this.view());
  }

  private view(): View {
    const { ensemble, world } = this;
    return {
      heading: [`Ensemble in ${world.directory}`, `Clients connect to ${ensemble.connectString}`],
      table: tableLines(ensemble, world.epochOf, world.screen.width),
      occasion: ensemble.leader === undefined ? "" : occasionOf(ensemble),
      footer: [...(this.keys.question === undefined ? keysHelp : [this.keys.question, ""]), ""],
    };
  }
}

/** Worth a table of its own: another leader, or another set of processes. */
function occasionOf({ leader, servers }: LocalEnsemble): string {
  return [leader?.place.id, ...servers.map(({ process }) => describeProcess(process))].join(" ");
}
