import * as v from "valibot";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { bytes, count, reads, timestamp } from "./schemas.ts";

const statistics = endpoint(
  {
    ...reads,
    operationId: "getStatistics",
    summary: "How much there is of what, and since when this homeserver is up.",
    path: "/_hearth/v1/statistics",
    response: v.strictObject({
      started_ts: v.pipe(timestamp, v.description("when this leader began: milliseconds since 1970")),
      epoch: v.pipe(count, v.description("how often a tab has taken the lead")),
      schema_version: count,
      ...{ rooms: count, events: count, devices: count, media: count },
      users: v.strictObject({
        users: count,
        guests: count,
        appservice_users: count,
        admins: count,
        locked: count,
        suspended: count,
        deactivated: count,
      }),
      media_bytes: bytes,
      storage: v.optional(
        v.pipe(
          v.strictObject({ used: bytes, granted: bytes }),
          v.description("what the browser gives to this origin; absent where it does not say"),
        ),
      ),
    }),
  },
  async ({ node }) => {
    const [statistics, users, media] = await Promise.all([
      node.monitor.statistics(),
      node.usersConsole.counts(),
      node.mediaConsole.totals(),
    ]);
    return { ...statistics, users, media_bytes: media.local_bytes + media.fetched_bytes };
  },
);

export const statisticsEndpoints: Endpoint[] = [statistics];
