import { z } from "zod";

/** Whole numbers as settings have them; the messages complete "expected ...". */
export function milliseconds(min: number) {
  return z.int().min(min, `a whole number of milliseconds, ${min} or more`);
}

export function count(min: number) {
  return z.int().min(min, `a whole number, ${min} or more`);
}

export function bytes(min: number) {
  return z.int().min(min, `a whole number of bytes, ${min} or more`);
}
