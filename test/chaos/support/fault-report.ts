/** What a run has to say: progress as it goes, and a summary that tells how to run the same again. */
export interface FaultReport {
  /** In one line: what was done, how often, with which seed. */
  readonly summary: string;
  /** What is wrong, nothing where all is well. */
  readonly faults: readonly string[];
}

export type Progress = (line: string) => void;

const TELL_EVERY_MS = 5_000;

/** Tells now and then how far the work is. */
export async function withProgress(work: Promise<unknown>, tell: () => void): Promise<void> {
  const timer = setInterval(tell, TELL_EVERY_MS);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
}
