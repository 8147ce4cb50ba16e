import { expect } from "vitest";
import { part, unique, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

const withId = (eventId: string) => expect.objectContaining({ event_id: eventId });
/** The pages of the deprecated calls of old clients want a position of the stream to go on from. */
const stream = { timeout: "0" };

export const eventsScenarios: Scenario[] = [
  {
    operation: "sendMessage",
    route: "PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const content = { msgtype: "m.text", body: "ripe" };
      const txnId = unique("txn");
      return {
        as: alice,
        params: { roomId, eventType: "m.room.message", txnId },
        body: content,
        check: async ({ body }) => {
          const eventId = body.event_id as string;
          expect(await alice.event(roomId, eventId)).toMatchObject({ content, sender: alice.userId });
          const again = `${v3}/rooms/${part(roomId)}/send/m.room.message/${txnId}`;
          expect(await alice.put(again, content)).toEqual({ event_id: eventId });
        },
      };
    },
  },
  {
    operation: "redactEvent",
    route: "PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId, "rotten");
      return {
        as: alice,
        params: { roomId, eventId, txnId: unique("txn") },
        body: { reason: "wormy" },
        check: async ({ body }) =>
          expect(await alice.event(roomId, eventId)).toMatchObject({
            content: {},
            unsigned: { redacted_because: { event_id: body.event_id, content: { reason: "wormy" } } },
          }),
      };
    },
  },
  {
    operation: "getOneRoomEvent",
    route: "GET /_matrix/client/v3/rooms/{roomId}/event/{eventId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId, "ripe");
      return {
        as: alice,
        params: { roomId, eventId },
        check: ({ body }) => expect(body).toMatchObject({ event_id: eventId, content: { body: "ripe" } }),
      };
    },
  },
  {
    operation: "getEventContext",
    route: "GET /_matrix/client/v3/rooms/{roomId}/context/{eventId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const ids = [await alice.say(roomId), await alice.say(roomId), await alice.say(roomId)] as const;
      return {
        as: alice,
        params: { roomId, eventId: ids[1] },
        query: { limit: "2", filter: '{"types":["m.room.message"]}' },
        check: ({ body }) =>
          expect(body).toMatchObject({
            event: { event_id: ids[1] },
            events_before: [{ event_id: ids[0] }],
            events_after: [{ event_id: ids[2] }],
          }),
      };
    },
  },
  {
    operation: "getRoomEvents",
    route: "GET /_matrix/client/v3/rooms/{roomId}/messages",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const [first, second] = [await alice.say(roomId), await alice.say(roomId)];
      return {
        as: alice,
        params: { roomId },
        query: { dir: "b", limit: "2" },
        check: ({ body }) => expect(body.chunk).toEqual([withId(second), withId(first)]),
      };
    },
  },
  {
    operation: "getEventByTimestamp",
    route: "GET /_matrix/client/v1/rooms/{roomId}/timestamp_to_event",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId);
      const { origin_server_ts: ts } = await alice.event(roomId, eventId);
      return {
        as: alice,
        params: { roomId },
        query: { ts: String(Number(ts) + 60_000), dir: "b" },
        check: ({ body }) => expect(body).toEqual({ event_id: eventId, origin_server_ts: ts }),
      };
    },
  },
  {
    operation: "getThreadRoots",
    route: "GET /_matrix/client/v1/rooms/{roomId}/threads",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const root = await alice.say(roomId, "which tree?");
      const relation = { rel_type: "m.thread", event_id: root };
      await alice.say(roomId, { msgtype: "m.text", body: "this one", "m.relates_to": relation });
      return {
        as: alice,
        params: { roomId },
        query: { include: "all", limit: "5" },
        check: ({ body }) => expect(body.chunk).toEqual([withId(root)]),
      };
    },
  },
  ...["", "/{relType}", "/{relType}/{eventType}"].map((path, index): Scenario => {
    const suffix = ["", "WithRelType", "WithRelTypeAndEventType"][index]!;
    return {
      operation: `getRelatingEvents${suffix}`,
      route: `GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}${path}`,
      prepare: async ({ person }) => {
        const alice = await person();
        const roomId = await alice.room();
        const eventId = await alice.say(roomId, "which tree?");
        const relation = { rel_type: "m.thread", event_id: eventId };
        const reply = await alice.say(roomId, {
          msgtype: "m.text",
          body: "this",
          "m.relates_to": relation,
        });
        return {
          as: alice,
          params: { roomId, eventId, relType: "m.thread", eventType: "m.room.message" },
          query: { dir: "b", limit: "5", recurse: "true" },
          check: ({ body }) => expect(body.chunk).toEqual([withId(reply)]),
        };
      },
    };
  }),
  {
    operation: "search",
    route: "POST /_matrix/client/v3/search",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId, "the quinces are ripe");
      await alice.say(roomId, "the pears are not");
      return {
        as: alice,
        body: {
          search_categories: {
            room_events: {
              search_term: "quinces",
              keys: ["content.body"],
              order_by: "recent",
              filter: { rooms: [roomId] },
              event_context: { before_limit: 1, after_limit: 1, include_profile: true },
              include_state: true,
              groupings: { group_by: [{ key: "room_id" }] },
            },
          },
        },
        check: ({ body }) =>
          expect(body).toMatchObject({
            search_categories: { room_events: { count: 1, results: [{ result: { event_id: eventId } }] } },
          }),
      };
    },
  },
  {
    operation: "sync",
    route: "GET /_matrix/client/v3/sync",
    // Whatever the filter is, it is read as one or looked up as one; `since` is the homeserver's own.
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId, "ripe");
      return {
        as: alice,
        query: {
          filter: '{"room":{"timeline":{"limit":1}}}',
          full_state: "false",
          set_presence: "offline",
          timeout: "0",
        },
        check: ({ body }) =>
          expect(body).toHaveProperty(["rooms", "join", roomId, "timeline", "events"], [withId(eventId)]),
      };
    },
  },
  {
    route: "POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId, "ripe");
      return {
        as: alice,
        query: { timeout: "0", set_presence: "offline" },
        body: {
          conn_id: "main",
          lists: { all: { ranges: [[0, 9]], timeline_limit: 1, required_state: [["m.room.create", ""]] } },
          room_subscriptions: { [roomId]: { timeline_limit: 1, required_state: [] } },
          extensions: { account_data: { enabled: true } },
        },
        check: ({ body }) => {
          expect(body).toMatchObject({ pos: expect.any(String), lists: { all: { count: 1 } } });
          expect(body).toHaveProperty(["rooms", roomId, "timeline"], [withId(eventId)]);
        },
      };
    },
  },
  {
    operation: "getEvents",
    route: "GET /_matrix/client/v3/events",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const { next_batch: from } = await alice.get(`${v3}/sync`);
      const eventId = await alice.say(roomId);
      return {
        as: alice,
        query: { ...stream, from: from as string },
        check: ({ body }) => expect(body.chunk).toEqual(expect.arrayContaining([withId(eventId)])),
      };
    },
  },
  {
    operation: "peekEvents",
    route: "GET /_matrix/client/v3/events",
    title: "of a room",
    // Without a room it is the operation above.
    ignores: ["room_id"],
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const { next_batch: from } = await alice.get(`${v3}/sync`);
      const eventId = await alice.say(roomId);
      return {
        as: alice,
        query: { ...stream, from: from as string, room_id: roomId },
        check: ({ body }) => expect(body.chunk).toEqual(expect.arrayContaining([withId(eventId)])),
      };
    },
  },
  {
    operation: "getOneEvent",
    route: "GET /_matrix/client/v3/events/{eventId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId);
      return {
        as: alice,
        params: { eventId },
        check: ({ body }) => expect(body).toMatchObject({ event_id: eventId, room_id: roomId }),
      };
    },
  },
  {
    operation: "initialSync",
    route: "GET /_matrix/client/v3/initialSync",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      return {
        as: alice,
        query: { limit: "5", archived: "false" },
        check: ({ body }) =>
          expect(body.rooms).toEqual([expect.objectContaining({ room_id: roomId, membership: "join" })]),
      };
    },
  },
  {
    operation: "roomInitialSync",
    route: "GET /_matrix/client/v3/rooms/{roomId}/initialSync",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      return {
        as: alice,
        params: { roomId },
        check: ({ body }) => expect(body).toMatchObject({ room_id: roomId, membership: "join" }),
      };
    },
  },
];
