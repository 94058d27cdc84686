import { ByteWriter } from "@watchkeeper/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ReplyScanner, WORD } from "../src/load/reply-scanner.js";

interface Reply {
  readonly xid: number;
  readonly error: number;
  readonly bodyBytes: number;
}

function encode(replies: readonly Reply[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { xid, error, bodyBytes } of replies) {
    writer.int(16 + bodyBytes);
    writer.int(xid);
    writer.long(7n);
    writer.int(error);
    writer.reserve(bodyBytes);
  }
  return writer.view();
}

test("every reply is seen once, with its xid and error, wherever the stream is cut into chunks", () => {
  const reply = fc.record({
    xid: fc.integer({ min: -8, max: 1000 }),
    error: fc.constantFrom(0, -101, -110),
    bodyBytes: fc.nat(300),
  });
  const replies = fc.array(reply, { maxLength: 20 });
  fc.assert(
    fc.property(replies, fc.infiniteStream(fc.integer({ min: 1, max: 90 })), (expected, sizes) => {
      const stream = encode(expected);
      const scanner = new ReplyScanner();
      const seen: Reply[] = [];
      for (let at = 0; at < stream.length; ) {
        const chunk = stream.subarray(at, at + sizes.next().value);
        at += chunk.length;
        scanner.scan(chunk, chunk.length, (words) =>
          seen.push({ xid: words[WORD.xid]!, error: words[WORD.error]!, bodyBytes: words[WORD.length]! - 16 }),
        );
      }
      expect(seen).toEqual(expected);
    }),
  );
});

test("a frame too short to be a reply ends the scan with an error", () => {
  const writer = new ByteWriter();
  writer.int(8);
  writer.reserve(30);
  expect(() => new ReplyScanner().scan(writer.view(), writer.length, () => {})).toThrow("shorter than any reply");
});
