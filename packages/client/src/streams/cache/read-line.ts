/** What there is to read of a node. */
export type Aspect = "data" | "children";

export interface Read<C> {
  readonly aspect: Aspect;
  readonly path: string;
  readonly cause: C;
}

type Standing = "waiting" | "reading" | "outdated";

/**
 * The reads that wait or are on their way: one at a time for each aspect of each path, and so many in
 * all. Being asked for again while it waits costs nothing; being asked for again while it is on its way
 * makes it outdated: what it brings is thrown away, and it is read once more.
 *
 * That is what keeps a cache from stepping back: a read that was answered before a change and an event
 * that tells of it may be taken up in either order.
 */
export class ReadLine<C> {
  private readonly standing = new Map<string, Standing>();
  private line: Read<C>[] = [];
  private head = 0;
  private inFlight = 0;
  private readonly inFlightMax: number;
  private readonly carryOut: (read: Read<C>) => Promise<() => void>;
  private readonly onIdle: () => void;

  /** `carryOut` resolves with what is to be done with the answer, unless it is outdated by then; it never rejects. */
  constructor(inFlightMax: number, carryOut: (read: Read<C>) => Promise<() => void>, onIdle: () => void) {
    this.inFlightMax = inFlightMax;
    this.carryOut = carryOut;
    this.onIdle = onIdle;
  }

  get isIdle(): boolean {
    return this.standing.size === 0;
  }

  isBusyWith(path: string): boolean {
    return this.standing.has(keyOf("data", path)) || this.standing.has(keyOf("children", path));
  }

  want(read: Read<C>): void {
    const key = keyOf(read.aspect, read.path);
    const standing = this.standing.get(key);
    if (standing === "reading") this.standing.set(key, "outdated");
    if (standing !== undefined) return;
    this.enqueue(key, read);
    this.pump();
  }

  /** A read that is on its way may have been answered before this. */
  outdate(path: string): void {
    for (const key of [keyOf("data", path), keyOf("children", path)]) {
      if (this.standing.get(key) === "reading") this.standing.set(key, "outdated");
    }
  }

  private enqueue(key: string, read: Read<C>): void {
    this.standing.set(key, "waiting");
    this.line.push(read);
  }

  private pump(): void {
    while (this.inFlight < this.inFlightMax) {
      const read = this.line[this.head];
      if (read === undefined) {
        this.line = [];
        this.head = 0;
        return;
      }
      this.head++;
      this.inFlight++;
      void this.run(read);
    }
  }

  private async run(read: Read<C>): Promise<void> {
    const key = keyOf(read.aspect, read.path);
    this.standing.set(key, "reading");
    const apply = await this.carryOut(read);
    this.inFlight--;
    if (this.standing.get(key) === "outdated") {
      this.enqueue(key, read);
    } else {
      this.standing.delete(key);
      apply();
    }
    this.pump();
    if (this.isIdle) this.onIdle();
  }
}

function keyOf(aspect: Aspect, path: string): string {
  return `${aspect} ${path}`;
}
