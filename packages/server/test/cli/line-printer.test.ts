import { expect, test } from "vitest";
import { LinePrinter } from "../../src/cli/line-printer.js";

/** Both outputs on one roll, as a terminal shows them. */
class Roll {
  text = "";
  nowMs = 0;
  drain: (() => void) | undefined;
  readonly out: StreamEnd;
  readonly err: StreamEnd;

  constructor(outIsTTY: boolean, errIsTTY: boolean) {
    this.out = new StreamEnd(this, outIsTTY);
    this.err = new StreamEnd(this, errIsTTY);
  }

  printer(): LinePrinter {
    return new LinePrinter(this.out, this.err, () => this.nowMs);
  }
}

class StreamEnd {
  writableNeedDrain = false;
  readonly isTTY: boolean;
  private readonly roll: Roll;

  constructor(roll: Roll, isTTY: boolean) {
    this.roll = roll;
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.roll.text += text;
    return !this.writableNeedDrain;
  }

  once(_: "drain", listener: () => void): void {
    this.roll.drain = listener;
  }
}

test("lines gather, and are out before anything is told beside them", () => {
  const roll = new Roll(false, false);
  const printer = roll.printer();
  printer.line("one");
  expect(roll.text).toBe("");
  printer.note("a note");
  printer.line("two");
  printer.end();
  expect(roll.text).toBe("one\na note\ntwo\n");
});

test("how far the work is shows on a terminal after a second without output, and is gone when it is done", () => {
  const roll = new Roll(true, true);
  const printer = roll.printer();
  printer.status("log.1: 5% of 2 GiB");
  expect(roll.text).toBe("");
  roll.nowMs = 1000;
  printer.status("log.1: 9% of 2 GiB");
  printer.status("log.1: 9% of 2 GiB");
  expect(roll.text).toBe("\r\u001b[Klog.1: 9% of 2 GiB");
  printer.line("found");
  printer.end();
  expect(roll.text).toBe("\r\u001b[Klog.1: 9% of 2 GiB\r\u001b[Kfound\n");
});

test("where errors go to a file nothing passing is written", () => {
  const roll = new Roll(true, false);
  const printer = roll.printer();
  roll.nowMs = 60_000;
  printer.status("log.1: 9% of 2 GiB");
  expect(roll.text).toBe("");
});

test("work waits while the reader of the output is slow", async () => {
  const roll = new Roll(false, false);
  const printer = roll.printer();
  await printer.drained();
  roll.out.writableNeedDrain = true;
  let waited = false;
  const drained = printer.drained().then(() => {
    waited = true;
  });
  await Promise.resolve();
  expect(waited).toBe(false);
  roll.drain?.();
  await drained;
  expect(waited).toBe(true);
});
