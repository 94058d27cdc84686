import { ELECTION_GREETING_BYTES_MAX, type ElectionGreeting, readElectionGreeting } from "@watchkeeper/wire";
import type { PeerSocket, PeerSocketHandler, Scheduler, Timer } from "../ports/index.js";

export interface GreetingEvents {
  /** Says who is there; returns who takes the connection on, or nothing if it is closed. */
  onGreeting(greeting: ElectionGreeting): PeerSocketHandler | undefined;
  onRefused(sentence: string): void;
  /** The connection is greeted, refused or gone. */
  onEnd(): void;
}

/** An accepted connection until it has said whose it is. */
export class AcceptedGreeting implements PeerSocketHandler {
  private readonly socket: PeerSocket;
  private readonly events: GreetingEvents;
  private readonly timer: Timer;
  private isWaiting = true;
  private received: Uint8Array = new Uint8Array(0);
  private successor: PeerSocketHandler | undefined;

  constructor(socket: PeerSocket, timeoutMs: number, scheduler: Scheduler, events: GreetingEvents) {
    this.socket = socket;
    this.events = events;
    this.timer = scheduler.after(timeoutMs, () => this.refuse(`nothing said who is there within ${timeoutMs} ms`));
    socket.start(this);
  }

  close(): void {
    if (this.isWaiting) this.endWaiting();
    this.socket.close();
  }

  onBytes(bytes: Uint8Array): void {
    if (this.successor !== undefined) this.successor.onBytes(bytes);
    else if (this.isWaiting) this.onGreetingBytes(bytes);
  }

  onDrained(): void {
    this.successor?.onDrained();
  }

  onClosed(reason: string): void {
    if (this.isWaiting) this.endWaiting();
    this.successor?.onClosed(reason);
  }

  /** What comes is bounded: a greeting is short, and what cannot become one is refused at once. */
  private onGreetingBytes(bytes: Uint8Array): void {
    const all = new Uint8Array(this.received.length + bytes.length);
    all.set(this.received);
    all.set(bytes, this.received.length);
    const greeting = readElectionGreeting(all, 0, all.length);
    if (greeting === undefined && all.length < ELECTION_GREETING_BYTES_MAX) this.received = all;
    else if (greeting === undefined) this.refuse(`no election greeting in ${all.length} bytes`);
    else if ("refused" in greeting) this.refuse(greeting.refused);
    else this.greeted(greeting, all.subarray(greeting.end));
  }

  private greeted(greeting: ElectionGreeting, rest: Uint8Array): void {
    this.endWaiting();
    this.successor = this.events.onGreeting(greeting);
    if (rest.length > 0) this.successor?.onBytes(rest);
  }

  private refuse(sentence: string): void {
    this.endWaiting();
    this.events.onRefused(sentence);
    this.socket.close();
  }

  private endWaiting(): void {
    this.isWaiting = false;
    this.received = new Uint8Array(0);
    this.timer.cancel();
    this.events.onEnd();
  }
}
