import type { ServerAddress } from "../session/index.js";
import type { Dial, Probe } from "./transport.js";

const ANSWER_MS_MAX = 1000;
const ANSWER_BYTES_MAX = 64;

/** Asks by the four-letter word `isro`, which a server answers with `rw`, `ro` or `null` before it hangs up. */
export function probeBy(dial: Dial): Probe {
  return (server: ServerAddress, answered: (isFull: boolean) => void) => {
    let text = "";
    const done = (isFull: boolean): void => {
      clearTimeout(timer);
      transport.destroy();
      answered(isFull);
    };
    const timer = setTimeout(() => done(false), ANSWER_MS_MAX);
    const transport = dial(server, {
      opened: () => transport.write(Buffer.from("isro")),
      chunk: (bytes) => {
        text += Buffer.from(bytes).toString("latin1");
        if (text.startsWith("rw")) done(true);
        else if (text.length >= ANSWER_BYTES_MAX) done(false);
      },
      closed: () => done(false),
    });
  };
}
