import { connect } from "@watchkeeper/client";
import { drive } from "../drive.js";

/** Watchkeeper's client, as an application uses it: loops that await. */
await drive(async ({ host, port, connectionThread }) => {
  const client = await connect(`${host}:${port}`, { connectionThread });
  return {
    async runLane(load) {
      if (load.operation === "get") {
        while (!load.isOver) {
          await client.getData(load.nextPath());
          load.calls++;
        }
      } else {
        while (!load.isOver) {
          await client.setData(load.nextPath(), load.value);
          load.calls++;
        }
      }
    },
  };
});
