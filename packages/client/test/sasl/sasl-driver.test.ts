import { expect, test } from "vitest";
import { saslDriver } from "../../src/sasl/sasl-driver.js";
import type { SessionMachine } from "../../src/session/index.js";

test("what fails in the exchange of a connection that is gone does not end the next one's", async () => {
  const seen: string[] = [];
  const session = {
    onSaslToken: (token: Uint8Array) => seen.push(`token ${Buffer.from(token)}`),
    onSaslDone: () => seen.push("done"),
    onSaslFailed: (details: string) => seen.push(`failed: ${details}`),
  } as unknown as SessionMachine;
  const answers: { resolve(token: Uint8Array): void; reject(error: Error): void }[] = [];
  const drive = saslDriver({
    name: "SLOW",
    begin: () => ({
      respond: () =>
        new Promise((resolve, reject) => {
          answers.push({ resolve: (token) => resolve({ token }), reject });
        }),
    }),
  });
  const server = { host: "one", port: 2181 };
  const turn = (): Promise<void> => new Promise((flushed) => drive({ server, token: undefined }, session, flushed));
  const [old, present] = [turn(), turn()];
  answers[0]!.reject(new Error("too late"));
  answers[1]!.resolve(Buffer.from("hello"));
  await Promise.all([old, present]);
  expect(seen).toEqual(["token hello"]);
});
