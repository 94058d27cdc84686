import { NetworkError } from "../ports/index.js";
import { dialAny } from "./dial-any.js";
import { formatPlace } from "./election-addresses.js";
import type { LearnerParts } from "./learner.js";
import { LinkError, PacketLink } from "./packet-link.js";
import { initLimitMs } from "./peer-settings.js";

/**
 * A leader that was elected a moment ago may not listen yet (4.7). Apache's learners try five times, 100 ms apart;
 * here the same time is spent, and the first tries come sooner: most leaders need a few milliseconds.
 */
const RETRY_DELAYS_MAX = 5;
const FIRST_RETRY_DELAY_MS = 5;

/**
 * Connects a learner to its leader (`Learner.connectToLeader`, 11.1). Several addresses of one server are tried at
 * once.
 * @throws LinkError
 */
export async function connectToLeader(parts: LearnerParts, leaderSid: number): Promise<PacketLink> {
  const { settings, network, scheduler, clock, random, isObserver } = parts;
  const member = settings.config.members.get(leaderSid);
  if (member === undefined)
    throw new LinkError(`server ${leaderSid} was elected and is not in this server's configuration`);
  if (isObserver && settings.observerReconnectDelayMsMax > 0) {
    await delay(scheduler, random.below(settings.observerReconnectDelayMsMax));
  }
  const { connectToLeaderLimitTicks: ticks } = settings;
  const limitMs = ticks > 0 ? ticks * settings.tickTimeMs : initLimitMs(settings);
  const startedMs = clock.monotonicMs();
  const deadlineMs = startedMs + limitMs;
  const giveUpMs = startedMs + RETRY_DELAYS_MAX * settings.leaderConnectRetryDelayMs;
  let retryDelayMs = Math.min(FIRST_RETRY_DELAY_MS, settings.leaderConnectRetryDelayMs);
  const place = member.addresses.map(({ host, quorumPort }) => ({ host, port: quorumPort }));
  let failure = "";
  for (;;) {
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) break;
    try {
      const socket = await dialAny(network, place, leftMs);
      return new PacketLink(socket, scheduler, {
        dataBytesMax: settings.packetBytesMax,
        unsentBytesMax: settings.learnerBytesMax,
      });
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      failure = error.message;
    }
    if (clock.monotonicMs() + retryDelayMs > giveUpMs) break;
    await delay(scheduler, retryDelayMs);
    retryDelayMs = Math.min(2 * retryDelayMs, settings.leaderConnectRetryDelayMs);
  }
  throw new LinkError(`the leader, server ${leaderSid}, cannot be reached at ${formatPlace(place)}: ${failure}`);
}

export function delay(
  scheduler: { after(delayMs: number, task: () => void): unknown },
  delayMs: number,
): Promise<void> {
  return new Promise((resolve) => scheduler.after(delayMs, resolve));
}
