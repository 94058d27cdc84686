/**
 * A program hands one signal, that of its shutdown say, to any number of calls at once. Whatever their number,
 * the signal has one listener of the client's: at the eleventh Node warns of a leak, which this is not. The listener
 * goes with the last of them, since a signal that has one is kept alive.
 */
const waitingFor = new WeakMap<AbortSignal, Set<() => void>>();

/** Runs `act` when the signal is aborted, at once if it is. Returns what takes `act` back; both can be done twice. */
export function whenAborted(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return nothing;
  if (signal.aborted) {
    act();
    return nothing;
  }
  const known = waitingFor.get(signal);
  const acts = known ?? new Set();
  if (known === undefined) {
    waitingFor.set(signal, acts);
    signal.addEventListener("abort", onAbort, { once: true });
  }
  acts.add(act);
  return () => {
    if (!acts.delete(act) || acts.size > 0 || signal.aborted) return;
    waitingFor.delete(signal);
    signal.removeEventListener("abort", onAbort);
  };
}

function onAbort(this: AbortSignal): void {
  const acts = waitingFor.get(this) ?? [];
  waitingFor.delete(this);
  for (const act of acts) act();
}

function nothing(): void {}
