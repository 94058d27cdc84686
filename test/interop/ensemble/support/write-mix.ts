/** Many writes of every kind through one client, so that trees have something to differ in. */
import { type Client, ZkError } from "@watchkeeper/client";

const IN_FLIGHT = 500;
const NODES = 60;

/** @returns how many were answered with success; errors that a server may answer are none */
export async function writeMixed(client: Client, parent: string, count: number): Promise<number> {
  await client.create(parent);
  let done = 1;
  for (let at = 0; at < count - 1; at += IN_FLIGHT) {
    const batch = Array.from({ length: Math.min(IN_FLIGHT, count - 1 - at) }, (_, i) => write(client, parent, at + i));
    await Promise.all(batch);
    done += batch.length;
  }
  return done;
}

/** A fixed round: which write comes when depends on the number alone, so every node meets every kind. */
async function write(client: Client, parent: string, number: number): Promise<unknown> {
  const path = `${parent}/n${number % NODES}`;
  const round = Math.floor(number / NODES);
  switch (round % 8) {
    case 0:
      return client.create(path, `created ${number}`, { acl: [{ permissions: 31, scheme: "world", id: "anyone" }] });
    case 3:
      return client.setAcl(path, [{ permissions: 31 - (number % 8 < 4 ? 8 : 0), scheme: "world", id: "anyone" }]);
    case 4:
      return client.multi([
        { op: "check", path, version: 2 },
        { op: "setData", path, data: `by multi ${number}` },
      ]);
    case 5:
      return client.create(path, "again").catch(expected("NODE_EXISTS"));
    case 6:
      return client.setData(path, "never", { version: 1000 }).catch(expected("BAD_VERSION"));
    case 7:
      return client.delete(path);
    default:
      return client.setData(path, `data ${number}`);
  }
}

function expected(code: string): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof ZkError) || error.code !== code) throw error;
  };
}
