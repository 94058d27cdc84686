import type { SaslTurn, SessionMachine } from "../session/index.js";
import type { SaslExchange, SaslMechanism } from "./sasl-mechanism.js";

/** Takes the client's turn in a SASL exchange; `flush` lets the session go on. */
export type SaslDriver = (turn: SaslTurn, session: SessionMachine, flush: () => void) => void;

/** Lets a mechanism answer the server's tokens. What a connection that is gone was still to say is dropped. */
export function saslDriver(mechanism: SaslMechanism): SaslDriver {
  let exchange: SaslExchange | undefined;
  return (turn, session, flush) => {
    if (turn.token === undefined) exchange = undefined;
    let mine: SaslExchange | undefined;
    const answer = async (): Promise<void> => {
      exchange ??= mechanism.begin(turn.server);
      mine = exchange;
      const { token, isLast } = await mine.respond(turn.token);
      if (mine !== exchange) return;
      if (token === undefined) session.onSaslDone(performance.now());
      else session.onSaslToken(token, isLast === true);
    };
    answer()
      .catch((error: unknown) => {
        if (mine === exchange) session.onSaslFailed(error instanceof Error ? error.message : String(error));
      })
      .finally(flush);
  };
}
