import { describe, expect, test } from "vitest";
import { bytes, create, setData } from "../replica/requests.js";
import type { EnsembleServer } from "./ensemble-server.js";
import { EnsembleWorld } from "./ensemble-world.js";
import { imageDifference, serverImage } from "./server-image.js";

/** A snapshot that a leader sends is read from its tree while that changes: it is ahead of the zxid it is sent with. */
const NODES = 40;
const path = (i: number) => `/n${String(i).padStart(2, "0")}`;

/** Three servers and an observer; learners are always sent a snapshot, some nodes at a time. */
async function slowlySending() {
  const server = { snapshotSliceBytes: 200, alwaysSendsSnapshot: true };
  const world = await EnsembleWorld.formed({ observers: 1, windowBytes: 300, server });
  const client = await world.clientOf(world.leader);
  for (let i = 0; i < NODES; i++) expect((await create(client, path(i))).err).toBe(0);
  return { world, client };
}

type Sending = Awaited<ReturnType<typeof slowlySending>>;

/** The learner starts again; while its snapshot is on its way a write fails and two nodes are changed, the last one too. */
async function changeWhileSent({ world, client }: Sending, learner: EnsembleServer): Promise<void> {
  await learner.restart();
  const isSent = () => learner.lines.lines.at(-1)?.sentence.includes("by SNAP") === true;
  await world.until(isSent, "the snapshot being on its way");
  expect((await create(client, path(0))).err).toBe(-110);
  for (const i of [0, NODES - 1]) expect((await setData(client, path(i), bytes("changed"))).err).toBe(0);
  expect(learner.isServing).toBe(false);
}

function complaints({ lines }: EnsembleServer): string[] {
  return lines.lines.map(({ sentence }) => sentence).filter((sentence) => sentence.includes("not matching"));
}

function learnerOf({ world }: Sending, role: "follower" | "observer"): EnsembleServer {
  return role === "observer" ? world.server(4) : world.learners.find(({ sid }) => sid < 4)!;
}

describe.each(["follower", "observer"] as const)("a snapshot that changes while it is sent to the %s", (role) => {
  test("is not served before what it is ahead by has been applied", async () => {
    const sending = await slowlySending();
    const { world } = sending;
    const learner = learnerOf(sending, role);
    await changeWhileSent(sending, learner);
    await world.until(() => learner.isServing, "the learner serving");
    const { replica } = world.leader;
    expect(learner.replica.lastZxid).toBe(replica.lastZxid);
    expect(imageDifference(serverImage(replica), serverImage(learner.replica))).toEqual([]);
    expect(world.witness.violations).toEqual([]);
    expect(complaints(learner)).toEqual([]);
  });

  test("is loaded from the disk as it was served", async () => {
    const sending = await slowlySending();
    const { world } = sending;
    const learner = learnerOf(sending, role);
    await changeWhileSent(sending, learner);
    await world.untilAllServe();
    learner.crash();
    learner.startAlone();
    await world.until(() => learner.process?.state !== undefined, "the disk being loaded");
    expect(imageDifference(serverImage(world.leader.replica), serverImage(learner.replica))).toEqual([]);
    expect(complaints(learner)).toEqual([]);
  });
});
