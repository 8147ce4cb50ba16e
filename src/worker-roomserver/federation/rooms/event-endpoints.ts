import * as v from "valibot";
import { roomParams } from "../../../door/schemas.ts";
import { notFound } from "../../../matrix/errors.ts";
import type { FederationContext } from "../context.ts";
import { type Endpoint, endpoint, WrittenJson } from "../door/endpoint.ts";
import { requireInRoom } from "./asker.ts";
import { textsFor, transactionText } from "./event-texts.ts";

/** An integer as a query has it. */
const integer = v.pipe(v.string(), v.regex(/^-?\d{1,15}$/, "should be an integer"), v.transform(Number));

const eventIds = v.array(v.string());
/** What a query names once or several times. */
const oneOrMore = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((ids) => [ids].flat()),
);

/** Single events and stretches of a room's history: a server gets those that it may not see as redaction leaves them. */
export function eventEndpoints(context: FederationContext): Endpoint[] {
  const { roomQueries, serverName, now } = context;

  const seenBy = async (origin: string, roomId: string, ids: readonly string[]) =>
    textsFor(roomQueries, roomId, await roomQueries.visibleToServer(roomId, origin, ids));

  return [
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1eventeventid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/event/{eventId}",
        auth: "server",
        params: v.object({ eventId: v.string() }),
      },
      async ({ origin, params: { eventId } }) => {
        const [event] = await roomQueries.eventsById([eventId]);
        // Nothing goes by what was rejected, so that nobody has to have it.
        if (event === undefined || event.status === 1) throw notFound("This server does not know the event.");
        await requireInRoom(context, origin, event.roomId);
        return new WrittenJson(
          transactionText(serverName, now(), await seenBy(origin, event.roomId, [eventId])),
        );
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/backfill/{roomId}",
        auth: "server",
        params: roomParams,
        query: v.object({ v: oneOrMore, limit: integer }),
      },
      async ({ origin, params: { roomId }, query }) => {
        await requireInRoom(context, origin, roomId);
        const events = await roomQueries.backfill(roomId, { from: query.v, limit: query.limit });
        const ids = events.map(({ eventId }) => eventId);
        return new WrittenJson(transactionText(serverName, now(), await seenBy(origin, roomId, ids)));
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid */
    endpoint(
      {
        method: "POST",
        path: "/_matrix/federation/v1/get_missing_events/{roomId}",
        auth: "server",
        params: roomParams,
        body: v.object({
          earliest_events: eventIds,
          latest_events: eventIds,
          limit: v.optional(v.pipe(v.number(), v.integer()), 10),
          min_depth: v.optional(v.pipe(v.number(), v.integer()), 0),
        }),
      },
      async ({ origin, params: { roomId }, body }) => {
        await requireInRoom(context, origin, roomId);
        const events = await roomQueries.missingEvents(roomId, {
          ...{ earliest: body.earliest_events, latest: body.latest_events },
          ...{ limit: body.limit, minDepth: body.min_depth },
        });
        const ids = events.map(({ eventId }) => eventId);
        return new WrittenJson(['{"events":[', (await seenBy(origin, roomId, ids)).join(","), "]}"]);
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1timestamp_to_eventroomid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/timestamp_to_event/{roomId}",
        auth: "server",
        params: roomParams,
        query: v.object({ ts: integer, dir: v.picklist(["f", "b"]) }),
      },
      async ({ origin, params: { roomId }, query: { ts, dir } }) => {
        await requireInRoom(context, origin, roomId);
        // Ids and times are no secret to a server in the room, which sees all of its graph.
        const near = await roomQueries.eventNear(roomId, ts, dir);
        if (near === undefined) throw notFound("This server knows no event on that side of the time.");
        return { event_id: near.eventId, origin_server_ts: near.ts };
      },
    ),
  ];
}
