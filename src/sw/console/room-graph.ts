import * as v from "valibot";
import { jsonObject, roomParams } from "../../door/schemas.ts";
import { invalidParam } from "../../matrix/errors.ts";
import type { RoomConsole } from "../../worker-roomserver/room/api.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { count, from, limitOf, nextBatch, numberOf, reads } from "./schemas.ts";

type GraphPage = Awaited<ReturnType<RoomConsole["eventGraph"]>>;
type GraphPlace = NonNullable<GraphPage["next"]>;
type StateEntry = Awaited<ReturnType<RoomConsole["stateAtEvent"]>>["entries"][number];
type Content = NonNullable<StateEntry["before"]>;

const graphEvent = v.strictObject({
  event_id: v.string(),
  type: v.string(),
  sender: v.string(),
  state_key: v.optional(v.string()),
  depth: v.number(),
  order: v.pipe(v.number(), v.description("place in the timeline; 0: in none")),
  origin_server_ts: v.number(),
  status: v.picklist(["accepted", "rejected", "soft-failed"]),
  reason: v.pipe(v.string(), v.description("why it was not accepted; empty where it was")),
  outlier: v.pipe(v.boolean(), v.description("known for what it authorises, without a place in the history")),
  redacted: v.boolean(),
  after_gap: v.pipe(v.boolean(), v.description("some of its `prev_events` are not known here")),
  prev_events: v.array(v.string()),
  auth_events: v.array(v.string()),
});

const graph = endpoint(
  {
    ...reads,
    operationId: "getEventGraph",
    summary:
      "Events of a room with what they refer to, from the newest on, also those that no timeline shows.",
    path: "/_hearth/v1/rooms/{roomId}/events",
    params: roomParams,
    query: v.object({ from, limit: limitOf(100, 1_000) }),
    response: v.strictObject({
      events: v.array(graphEvent),
      forward_extremities: v.array(v.string()),
      next_batch: nextBatch,
    }),
  },
  async ({ node, params, query: { from, limit } }) => {
    const page = await node.roomConsole.eventGraph(params.roomId, {
      limit,
      ...(from !== undefined && { from: placeOf(from) }),
    });
    return {
      events: page.events.map(shownEvent),
      forward_extremities: page.extremities,
      ...(page.next && { next_batch: tokenOf(page.next) }),
    };
  },
);

const content = v.optional(v.strictObject({ event_id: v.string(), sender: v.string(), content: jsonObject }));

const state = endpoint(
  {
    ...reads,
    operationId: "getStateAroundEvent",
    summary: "The state before and after an event, side by side: what it has changed comes first.",
    path: "/_hearth/v1/rooms/{roomId}/events/{eventId}/state",
    params: v.object({ roomId: v.string(), eventId: v.string() }),
    query: v.object({ from: numberOf(0), limit: limitOf(100, 1_000) }),
    response: v.strictObject({
      event_id: v.string(),
      known: v.pipe(v.boolean(), v.description("false for outliers: there are no entries then")),
      total: v.pipe(count, v.description("of all pages")),
      state: v.array(
        v.strictObject({
          type: v.string(),
          state_key: v.string(),
          before: content,
          after: content,
          changed: v.boolean(),
        }),
      ),
      next: v.optional(v.pipe(count, v.description("`from` of the next page; absent on the last one"))),
    }),
  },
  async ({ node, params: { roomId, eventId }, query }) => {
    const {
      isKnown,
      count: total,
      entries,
      next,
    } = await node.roomConsole.stateAtEvent(roomId, eventId, query);
    return {
      event_id: eventId,
      known: isKnown,
      total,
      state: entries.map(shownEntry),
      ...(next !== undefined && { next }),
    };
  },
);

function shownEvent(event: GraphPage["events"][number]) {
  const { eventId, type, sender, stateKey, depth, order, ts, status, reason } = event;
  return {
    ...{ event_id: eventId, type, sender, depth, order, origin_server_ts: ts, status, reason },
    ...(stateKey !== undefined && { state_key: stateKey }),
    outlier: event.isOutlier,
    redacted: event.isRedacted,
    after_gap: event.afterGap,
    prev_events: event.prevEvents,
    auth_events: event.authEvents,
  };
}

function shownEntry({ type, stateKey, before, after, isChanged }: StateEntry) {
  return {
    ...{ type, state_key: stateKey, changed: isChanged },
    ...(before && { before: shownContent(before) }),
    ...(after && { after: shownContent(after) }),
  };
}

const shownContent = ({ eventId, sender, content }: Content) => ({ event_id: eventId, sender, content });

const tokenOf = ({ order, aside }: GraphPlace) => `${order ?? "-"} ${aside ?? "-"}`;

function placeOf(token: string): GraphPlace {
  const match = /^(-|-?\d{1,16}(?:\.\d{1,20})?) (-|\d{1,16})$/.exec(token);
  if (match === null) throw invalidParam('"from" is not a token that this server has given out.');
  const [order, aside] = match.slice(1).map((part) => (part === "-" ? null : Number(part)));
  return { order: order ?? null, aside: aside ?? null };
}

export const roomGraphEndpoints: Endpoint[] = [graph, state];
