import * as v from "valibot";
import { emptyAnswer, jsonObject, roomParams } from "../../door/schemas.ts";
import { ROOM_ORDERS } from "../../worker-roomserver/room/console/api.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { count, from, limitOf, nextBatch, reads, timestamp, writes } from "./schemas.ts";

const listing = {
  room_id: v.string(),
  room_version: v.string(),
  name: v.optional(v.string()),
  canonical_alias: v.optional(v.string()),
  room_type: v.optional(v.string()),
  creator: v.optional(v.string()),
  join_rule: v.string(),
  encryption: v.optional(v.pipe(v.string(), v.description("the algorithm; absent: not encrypted"))),
  published: v.pipe(v.boolean(), v.description("whether it is in the public directory")),
  joined_members: count,
  joined_local_members: v.pipe(count, v.description("those of this server")),
  events: v.pipe(count, v.description("events of its timeline that are known here")),
  last_ts: v.pipe(v.number(), v.description("when its newest event was sent: milliseconds since 1970")),
};

const list = endpoint(
  {
    ...reads,
    operationId: "listRooms",
    summary: "Rooms in an order. What does not change meanwhile is neither repeated nor left out.",
    path: "/_hearth/v1/rooms",
    query: v.object({
      search: v.optional(v.pipe(v.string(), v.description("part of the name, the alias or the ID"))),
      order_by: v.optional(v.picklist(ROOM_ORDERS), "name"),
      dir: v.optional(v.pipe(v.picklist(["f", "b"]), v.description("`b`: the greatest first")), "f"),
      from,
      limit: limitOf(50, 500),
    }),
    response: v.strictObject({
      rooms: v.array(v.strictObject(listing)),
      total: v.pipe(count, v.description("of all pages")),
      next_batch: nextBatch,
    }),
  },
  ({ node, query: { order_by, ...query } }) => node.roomConsole.list({ ...query, orderBy: order_by }),
);

const get = endpoint(
  {
    ...reads,
    operationId: "getRoom",
    summary: "One room, as it is now.",
    path: "/_hearth/v1/rooms/{roomId}",
    params: roomParams,
    response: v.strictObject({
      ...listing,
      topic: v.optional(v.string()),
      avatar_url: v.optional(v.string()),
      history_visibility: v.string(),
      guest_access: v.string(),
      invited_members: count,
      servers: v.pipe(
        v.array(v.strictObject({ server_name: v.string(), joined_members: count })),
        v.description("those with the most members first, at most 100"),
      ),
      joined_servers: v.pipe(count, v.description("how many servers there are in all")),
      state_events: v.pipe(count, v.description("entries of the current state")),
      forward_extremities: v.pipe(
        v.array(v.string()),
        v.description("events that nothing is built upon yet"),
      ),
      aliases: v.pipe(v.array(v.string()), v.description("those made on this server")),
      tombstone: v.optional(jsonObject),
    }),
  },
  ({ node, params }) => node.roomConsole.details(params.roomId),
);

const publish = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "publishRoom",
    summary: "Puts a room into the public directory, or takes it out.",
    path: "/_hearth/v1/rooms/{roomId}/published",
    params: roomParams,
    body: v.object({ published: v.boolean() }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body: { published } }) => {
    await node.room.setVisibility(requester, params.roomId, published ? "public" : "private");
    return {};
  },
);

const alias = v.object({ alias: v.string() });

const setAlias = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "setAlias",
    summary: "Makes an alias for a room that one need not be in.",
    path: "/_hearth/v1/aliases/{alias}",
    params: alias,
    body: v.object({ room_id: v.string() }),
    response: emptyAnswer,
  },
  async ({ node, request, requester, params, body }) => {
    await node.roomConsole.setAlias(request, requester, params.alias, body.room_id);
    return {};
  },
);

const deleteAlias = endpoint(
  {
    ...writes,
    method: "DELETE",
    operationId: "deleteAlias",
    summary: "Removes an alias, whoever has made it.",
    path: "/_hearth/v1/aliases/{alias}",
    params: alias,
    response: emptyAnswer,
  },
  async ({ node, request, requester, params }) => {
    await node.room.deleteAlias(request, requester, params.alias);
    return {};
  },
);

const media = endpoint(
  {
    ...reads,
    operationId: "listMediaOfRoom",
    summary: "Events that show media, the newest first; in encrypted rooms that cannot be known.",
    path: "/_hearth/v1/rooms/{roomId}/media",
    params: roomParams,
    query: v.object({ from, limit: limitOf(50, 500) }),
    response: v.strictObject({
      media: v.array(
        v.strictObject({
          event_id: v.string(),
          sender: v.string(),
          ts: timestamp,
          uris: v.pipe(v.array(v.string()), v.description("`mxc` URIs")),
        }),
      ),
      next_batch: nextBatch,
    }),
  },
  ({ node, params, query }) => node.roomConsole.media(params.roomId, query),
);

const purgeStatus = v.strictObject({
  status: v.pipe(
    v.picklist(["leaving", "removing", "done", "failed", "none"]),
    v.description(
      "`removing`: the room is gone, and goes on being removed whatever happens; `none`: nobody has asked for it, or the tab that led was closed while members were leaving",
    ),
  ),
  error: v.optional(v.string()),
});

const purge = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "purgeRoom",
    summary: "Begins to remove a room from this server: its members here leave, then all of it goes.",
    path: "/_hearth/v1/rooms/{roomId}/purge",
    params: roomParams,
    body: v.object({
      leave: v.optional(
        v.pipe(v.boolean(), v.description("false: members disappear from it without a word")),
        true,
      ),
    }),
    optionalBody: true,
    response: purgeStatus,
  },
  ({ node, params, body }) => node.roomConsole.startPurge(params.roomId, body),
);

const getPurge = endpoint(
  {
    ...reads,
    operationId: "getPurge",
    summary: "How far a purge is.",
    path: "/_hearth/v1/rooms/{roomId}/purge",
    params: roomParams,
    response: purgeStatus,
  },
  ({ node, params }) => node.roomConsole.purgeStatus(params.roomId),
);

export const roomsEndpoints: Endpoint[] = [
  ...[list, get, publish, setAlias, deleteAlias, media],
  ...[purge, getPurge],
];
