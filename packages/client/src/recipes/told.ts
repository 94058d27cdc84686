/** Tells a listener something, soon. What it throws must not end who tells it, nor the process: it becomes a process warning. */
export function tell(subject: string, listener: () => unknown): void {
  queueMicrotask(async () => {
    try {
      await listener();
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.emitWarning(`${subject} threw: ${reason}`, "ZkListenerWarning");
    }
  });
}
