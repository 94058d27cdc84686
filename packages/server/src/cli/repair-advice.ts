import { formatZxid, REPAIR_ADVICE } from "../storage/index.js";

/** What to do about a log that is damaged behind `lastZxid`. */
export function repairAdvice(path: string, lastZxid: number | undefined): string {
  if (lastZxid === undefined) return REPAIR_ADVICE;
  return `${REPAIR_ADVICE}, here: watchkeeper log cut ${path} --at ${formatZxid(lastZxid)} --in-place`;
}
