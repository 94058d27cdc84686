import type { Call, DeadlinePlace } from "./call.js";

/** Deadlines that fall into the same slot are met together: the most by which one may be late. */
const SLOT_MS = 8;

/**
 * The deadlines of all calls of a client, so that one timer serves them all. The calls of one slot of
 * time are a linked list through the calls themselves: setting a deadline and taking it back cost the
 * same however many there are, and nothing is kept of a call that is done. The slots stand in a heap; one
 * that has become empty is dropped when it comes to the top.
 */
export class DeadlineWheel {
  private readonly youngest = new Map<number, Call>();
  private readonly heap: number[] = [];

  /** When `takeDue` has something to give at the earliest. */
  get nextMs(): number {
    for (let slot = this.heap[0]; slot !== undefined; slot = this.heap[0]) {
      if (this.youngest.has(slot)) return slot * SLOT_MS;
      this.dropTop();
    }
    return Number.POSITIVE_INFINITY;
  }

  add(call: Call, atMs: number): void {
    const place = call.deadline;
    if (place === undefined) return;
    const slot = Math.max(1, Math.ceil(atMs / SLOT_MS));
    const earlier = this.youngest.get(slot);
    if (earlier === undefined) this.push(slot);
    else if (earlier.deadline !== undefined) earlier.deadline.later = call;
    place.slot = slot;
    place.earlier = earlier;
    this.youngest.set(slot, call);
  }

  remove(call: Call): void {
    const place = call.deadline;
    if (place === undefined || place.slot === 0) return;
    const { earlier, later } = place;
    if (later?.deadline !== undefined) later.deadline.earlier = earlier;
    else if (earlier === undefined) this.youngest.delete(place.slot);
    else this.youngest.set(place.slot, earlier);
    if (earlier?.deadline !== undefined) earlier.deadline.later = later;
    clear(place);
  }

  /** Takes out the calls whose deadline has passed, earlier slots first, within a slot as they were added. */
  takeDue(nowMs: number): Call[] {
    const due: Call[] = [];
    while (this.nextMs <= nowMs) {
      const slot = this.heap[0]!;
      const ofSlot: Call[] = [];
      for (let call = this.youngest.get(slot); call !== undefined; ) {
        ofSlot.push(call);
        const earlier: Call | undefined = call.deadline?.earlier;
        if (call.deadline !== undefined) clear(call.deadline);
        call = earlier;
      }
      this.youngest.delete(slot);
      this.dropTop();
      for (let i = ofSlot.length - 1; i >= 0; i--) due.push(ofSlot[i]!);
    }
    return due;
  }

  /** A slot that was emptied and is used again may stand in the heap twice: the second is dropped as empty. */
  private push(slot: number): void {
    const { heap } = this;
    let at = heap.push(slot) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= slot) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = slot;
  }

  private dropTop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function clear(place: DeadlinePlace): void {
  place.slot = 0;
  place.earlier = undefined;
  place.later = undefined;
}
