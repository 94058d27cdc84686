import type { Client } from "@watchkeeper/client";
import { onTestFinished } from "vitest";
import { RawConnection } from "../support/raw-connection.js";
import type { MemberProcess } from "./ensemble-of-processes.js";

/** A client of one server alone, until the test has ended. */
export async function clientOf(member: MemberProcess): Promise<Client> {
  const client = await member.client();
  onTestFinished(() => client.close());
  return client;
}

/** A connection with a session at the server, whose frames the test itself writes and reads, until it has ended. */
export async function rawOf(member: MemberProcess): Promise<RawConnection> {
  const raw = await RawConnection.open(member.clientPort);
  onTestFinished(async () => {
    // Left behind, its session would expire in the middle of another test, and take a zxid there.
    if (!raw.isClosed) raw.send("closeSession");
    await raw.untilClosed();
  });
  await raw.handshake();
  return raw;
}
