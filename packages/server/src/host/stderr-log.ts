import { type Logger, type LoggerOptions, pino } from "pino";

/** Lines that could not be written yet: more are dropped. */
const UNWRITTEN_BYTES_MAX = 1 << 20;

/**
 * Log lines on standard error, JSON, one a line, each written before the program goes on.
 *
 * Where the log goes is not the server's life: on a full disk lines wait for space, then are lost, and
 * clients are served. Unheard, the writer's error would end the process.
 */
export function stderrLog(options: LoggerOptions): Logger {
  const lines = pino.destination({ fd: 2, sync: true, maxLength: UNWRITTEN_BYTES_MAX });
  lines.on("error", () => {});
  return pino(options, lines);
}
