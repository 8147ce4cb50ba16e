import { expect } from "vitest";
import { part, unique, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

export const roomsScenarios: Scenario[] = [
  {
    operation: "createRoom",
    route: "POST /_matrix/client/v3/createRoom",
    prepare: async ({ person, serverName }) => {
      const [alice, bob] = [await person(), await person()];
      const room_alias_name = unique("orchard");
      return {
        as: alice,
        body: {
          visibility: "public",
          room_alias_name,
          name: "Orchard",
          topic: "Apples",
          invite: [bob.userId],
          room_version: "11",
          creation_content: { "m.federate": true },
          initial_state: [{ type: "org.example.colour", state_key: "sky", content: { is: "blue" } }],
          preset: "public_chat",
          is_direct: false,
          power_level_content_override: { events_default: 0 },
        },
        check: async ({ body }) => {
          const roomId = body.room_id as string;
          expect(await alice.state(roomId, "m.room.name")).toEqual({ name: "Orchard" });
          expect(await alice.state(roomId, "org.example.colour", "sky")).toEqual({ is: "blue" });
          expect(await alice.state(roomId, "m.room.canonical_alias")).toEqual({
            alias: `#${room_alias_name}:${serverName}`,
          });
          expect(await alice.membershipOf(roomId, bob.userId)).toBe("invite");
        },
      };
    },
  },
  {
    operation: "upgradeRoom",
    route: "POST /_matrix/client/v3/rooms/{roomId}/upgrade",
    // Only rooms from version 12 on have other creators, and this goes to 11.
    ignores: ["additional_creators"],
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room({ room_version: "10", name: "Orchard" });
      return {
        as: alice,
        params: { roomId },
        body: { new_version: "11" },
        check: async ({ body }) => {
          expect(await alice.state(roomId, "m.room.tombstone")).toMatchObject({
            replacement_room: body.replacement_room,
          });
          expect(await alice.state(body.replacement_room as string, "m.room.name")).toEqual({
            name: "Orchard",
          });
        },
      };
    },
  },
  {
    operation: "getJoinedRooms",
    route: "GET /_matrix/client/v3/joined_rooms",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      return { as: alice, check: ({ body }) => expect(body).toEqual({ joined_rooms: [roomId] }) };
    },
  },
  {
    operation: "getMembersByRoom",
    route: "GET /_matrix/client/v3/rooms/{roomId}/members",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.room({ invite: [bob.userId] });
      return {
        as: alice,
        params: { roomId },
        query: { membership: "invite" },
        check: ({ body }) =>
          expect(body.chunk).toEqual([
            expect.objectContaining({ type: "m.room.member", state_key: bob.userId }),
          ]),
      };
    },
  },
  {
    operation: "getJoinedMembersByRoom",
    route: "GET /_matrix/client/v3/rooms/{roomId}/joined_members",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { roomId: await alice.room() },
        check: ({ body }) => expect(Object.keys(body.joined as object)).toEqual([alice.userId]),
      };
    },
  },
  {
    operation: "getRoomState",
    route: "GET /_matrix/client/v3/rooms/{roomId}/state",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { roomId: await alice.room({ name: "Orchard" }) },
        check: ({ body }) =>
          expect(body).toEqual(
            expect.arrayContaining([
              expect.objectContaining({ type: "m.room.name", content: { name: "Orchard" } }),
            ]),
          ),
      };
    },
  },
  {
    operation: "getRoomStateWithKey",
    route: "GET /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { roomId: await alice.room(), eventType: "m.room.member", stateKey: alice.userId },
        query: { format: "content" },
        check: ({ body }) => expect(body).toMatchObject({ membership: "join" }),
      };
    },
  },
  {
    operation: "setRoomStateWithKey",
    route: "PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      return {
        as: alice,
        params: { roomId, eventType: "org.example.colour", stateKey: "grass" },
        body: { is: "green" },
        check: async ({ body }) => {
          expect(await alice.state(roomId, "org.example.colour", "grass")).toEqual({ is: "green" });
          expect(await alice.event(roomId, body.event_id as string)).toMatchObject({ state_key: "grass" });
        },
      };
    },
  },
  // With an empty state key, the last slash may be left out: the spec says so, and does not list it.
  {
    route: "GET /_matrix/client/v3/rooms/{roomId}/state/{eventType}",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { roomId: await alice.room({ topic: "Apples" }), eventType: "m.room.topic" },
        query: { format: "event" },
        check: ({ body }) => expect(body).toMatchObject({ state_key: "", content: { topic: "Apples" } }),
      };
    },
  },
  {
    route: "PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      return {
        as: alice,
        params: { roomId, eventType: "m.room.name" },
        body: { name: "Meadow" },
        check: async () => expect(await alice.state(roomId, "m.room.name")).toEqual({ name: "Meadow" }),
      };
    },
  },
  {
    operation: "reportRoom",
    route: "POST /_matrix/client/v3/rooms/{roomId}/report",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      return { as: bob, params: { roomId: await alice.room() }, body: { reason: "spam" } };
    },
  },
  {
    operation: "reportEvent",
    route: "POST /_matrix/client/v3/rooms/{roomId}/report/{eventId}",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.room();
      await bob.join(roomId);
      return { as: bob, params: { roomId, eventId: await alice.say(roomId) }, body: { reason: "rude" } };
    },
  },
  {
    operation: "reportUser",
    route: "POST /_matrix/client/v3/users/{userId}/report",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      return { as: bob, params: { userId: alice.userId }, body: { reason: "rude" } };
    },
  },
  {
    operation: "setTyping",
    route: "PUT /_matrix/client/v3/rooms/{roomId}/typing/{userId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      return {
        as: alice,
        params: { roomId, userId: alice.userId },
        body: { typing: true, timeout: 30_000 },
        check: async () => {
          const path = ["rooms", "join", roomId, "ephemeral", "events"];
          expect(await alice.get(`${v3}/sync`)).toHaveProperty(path, [
            { type: "m.typing", content: { user_ids: [alice.userId] } },
          ]);
        },
      };
    },
  },
  {
    operation: "postReceipt",
    route: "POST /_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId);
      return {
        as: alice,
        params: { roomId, receiptType: "m.read", eventId },
        body: { thread_id: "main" },
        check: async () =>
          expect(await alice.get(`${v3}/sync`)).toHaveProperty(
            ["rooms", "join", roomId, "ephemeral", "events", 0, "content", eventId, "m.read", alice.userId],
            expect.objectContaining({ thread_id: "main" }),
          ),
      };
    },
  },
  {
    operation: "setReadMarker",
    route: "POST /_matrix/client/v3/rooms/{roomId}/read_markers",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const eventId = await alice.say(roomId);
      const path = `${v3}/user/${part(alice.userId)}/rooms/${part(roomId)}/account_data/m.fully_read`;
      return {
        as: alice,
        params: { roomId },
        body: { "m.fully_read": eventId, "m.read": eventId, "m.read.private": eventId },
        check: async () => expect(await alice.get(path)).toEqual({ event_id: eventId }),
      };
    },
  },
];
