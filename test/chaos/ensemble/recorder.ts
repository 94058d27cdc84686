/** The history of a run as it is written, by all sessions together. */
import type { Answer, Call, FinalState, History, Operation, WatchEvent } from "../../checkers/history.js";

export interface Begun {
  readonly session: string;
  readonly sequence: number;
  readonly connection: number;
  readonly call: Call;
  readonly invokedAt: number;
}

export class Recorder {
  readonly finals: FinalState[] = [];
  /** What no server may send at all, such as an answer out of turn. */
  readonly oddities: string[] = [];
  private readonly operations: Operation[] = [];
  private readonly events: WatchEvent[] = [];
  private unanswered = 0;
  private acknowledgedWrites = 0;

  answered(begun: Begun, answer: Answer): void {
    this.operations.push({ ...begun, returnedAt: performance.now(), answer });
    if (begun.call.kind === "write" && answer.error === undefined) this.acknowledgedWrites += 1;
  }

  lost(begun: Begun): void {
    this.operations.push({ ...begun, returnedAt: undefined, answer: undefined });
    this.unanswered += 1;
  }

  fired(event: WatchEvent): void {
    this.events.push(event);
  }

  unexpected(what: string): void {
    this.oddities.push(what);
  }

  get acknowledged(): number {
    return this.acknowledgedWrites;
  }

  get history(): History {
    const { operations, events, finals } = this;
    return { operations, events, finals };
  }

  get summary(): string {
    return (
      `${this.operations.length} operations recorded, ${this.acknowledgedWrites} writes acknowledged, ` +
      `${this.unanswered} operations unanswered, ${this.events.length} events`
    );
  }
}
