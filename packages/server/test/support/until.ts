/** Waits for a condition that input and output bring about, turn by turn of the event loop. */
export async function until(condition: () => boolean, what: () => string = () => "the condition"): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`waited 10 s for ${what()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
