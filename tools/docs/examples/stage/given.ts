import type { Client } from "@watchkeeper/client";
import type { Hold } from "@watchkeeper/client/recipes";

/**
 * What examples take for granted and do not make themselves: the client that an earlier one connected, and an
 * application's own functions, each of which does nothing but note that it was called.
 */
export let client: Client;
export let servers: string;
export let calls: string[] = [];

/** Before an example is played. */
export function give(connected: Client, connectString: string): void {
  client = connected;
  servers = connectString;
  calls = [];
}

export { hostname } from "node:os";
export * as zookeeper from "@watchkeeper/client/compat";
export const invoices = ["invoice 1", "invoice 2"];

export function append(token: bigint): void {
  note("append", token > 0n);
}

export function apply(data: Buffer | null): void {
  note("apply", data);
}

export async function follow(name: string, signal: AbortSignal): Promise<void> {
  note("follow", name, signal.aborted);
}

export function rebuild(token: bigint): void {
  note("rebuild", token > 0n);
}

export function reload(path: string): void {
  note("reload", path);
}

export function reloadAll(): void {
  note("reloadAll");
}

export function runScheduler({ signal, fencingToken }: { signal: AbortSignal; fencingToken: bigint }): Promise<void> {
  note("runScheduler", fencingToken > 0n);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

export function schedule(signal: AbortSignal): void {
  note("schedule", signal.aborted);
}

export function search(): void {
  note("search");
}

export function send(invoice: string, { fencingToken, signal }: { fencingToken: bigint; signal: AbortSignal }): void {
  note("send", invoice, fencingToken > 0n, signal.aborted);
}

export function start(term: Hold): void {
  note("start", term.token > 0n);
}

export function stop(): void {
  note("stop");
}

export function verifyByReading(path: string): void {
  note("verifyByReading", path);
}

export function withNewKey(data: Buffer | null): string {
  return `${data}+`;
}

/** What a guarded piece of work is given of its hold, the token under either name. */
interface Guard {
  readonly signal: AbortSignal;
  readonly token?: bigint;
  readonly fencingToken?: bigint;
}

export async function work(data: Buffer | null, { signal, token, fencingToken }: Guard): Promise<void> {
  note("work", data, signal.aborted, (token ?? fencingToken ?? 0n) > 0n);
}

export async function writeReport({ signal, token, fencingToken }: Guard): Promise<void> {
  note("writeReport", signal.aborted, (token ?? fencingToken ?? 0n) > 0n);
}

function note(...call: unknown[]): void {
  calls.push(call.join(" "));
}
