import { ByteWriter } from "@watchkeeper/wire";
import { expect, test } from "vitest";
import { directoriesOf, flatKeys, nestedKeys } from "../src/load/key-space.js";
import { frames, KeyedFrame } from "../src/load/request-frames.js";

test.each([0, 7, 1002, 999_999])("the prepared frame for key %i is the frame encoded for its path", (key) => {
  for (const keys of [flatKeys("/bench"), nestedKeys("/bench/below")]) {
    const writer = new ByteWriter();
    new KeyedFrame(keys, frames.getData).appendTo(writer, key);
    expect(writer.view()).toEqual(frames.getData(keys.pathOf(key)));
  }
});

test("nested keys lie a thousand to a directory", () => {
  const keys = nestedKeys("/bench");
  expect(keys.pathOf(41_007)).toBe("/bench/d041/k007");
  expect(directoriesOf("/bench").pathOf(41)).toBe("/bench/d041");
});
