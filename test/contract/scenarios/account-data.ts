import { expect } from "vitest";
import { part, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

export const accountDataScenarios: Scenario[] = [
  {
    operation: "getAccountData",
    route: "GET /_matrix/client/v3/user/{userId}/account_data/{type}",
    prepare: async ({ person }) => {
      const alice = await person();
      await alice.put(`${v3}/user/${part(alice.userId)}/account_data/org.example.colours`, { sky: "blue" });
      return {
        as: alice,
        params: { userId: alice.userId, type: "org.example.colours" },
        check: ({ body }) => expect(body).toEqual({ sky: "blue" }),
      };
    },
  },
  {
    operation: "setAccountData",
    route: "PUT /_matrix/client/v3/user/{userId}/account_data/{type}",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: { userId: alice.userId, type: "org.example.colours" },
        body: { grass: "green" },
        check: async () => expect(await alice.accountData("org.example.colours")).toEqual({ grass: "green" }),
      };
    },
  },
  {
    operation: "getAccountDataPerRoom",
    route: "GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const path = `${v3}/user/${part(alice.userId)}/rooms/${part(roomId)}/account_data/org.example.draft`;
      await alice.put(path, { text: "dear" });
      return {
        as: alice,
        params: { userId: alice.userId, roomId, type: "org.example.draft" },
        check: ({ body }) => expect(body).toEqual({ text: "dear" }),
      };
    },
  },
  {
    operation: "setAccountDataPerRoom",
    route: "PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const path = `${v3}/user/${part(alice.userId)}/rooms/${part(roomId)}/account_data/org.example.draft`;
      return {
        as: alice,
        params: { userId: alice.userId, roomId, type: "org.example.draft" },
        body: { text: "friends" },
        check: async () => expect(await alice.get(path)).toEqual({ text: "friends" }),
      };
    },
  },
  {
    operation: "getRoomTags",
    route: "GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      await alice.put(`${v3}/user/${part(alice.userId)}/rooms/${part(roomId)}/tags/u.garden`, { order: 0.5 });
      return {
        as: alice,
        params: { userId: alice.userId, roomId },
        check: ({ body }) => expect(body).toEqual({ tags: { "u.garden": { order: 0.5 } } }),
      };
    },
  },
  {
    operation: "setRoomTag",
    route: "PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const tags = `${v3}/user/${part(alice.userId)}/rooms/${part(roomId)}/tags`;
      return {
        as: alice,
        params: { userId: alice.userId, roomId, tag: "m.favourite" },
        body: { order: 0.25 },
        check: async () =>
          expect(await alice.get(tags)).toEqual({ tags: { "m.favourite": { order: 0.25 } } }),
      };
    },
  },
  {
    operation: "deleteRoomTag",
    route: "DELETE /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      const tags = `${v3}/user/${part(alice.userId)}/rooms/${part(roomId)}/tags`;
      await alice.put(`${tags}/m.lowpriority`);
      return {
        as: alice,
        params: { userId: alice.userId, roomId, tag: "m.lowpriority" },
        check: async () => expect(await alice.get(tags)).toEqual({ tags: {} }),
      };
    },
  },
  {
    operation: "defineFilter",
    route: "POST /_matrix/client/v3/user/{userId}/filter",
    prepare: async ({ person }) => {
      const alice = await person();
      const filter = { room: { timeline: { limit: 7, types: ["m.room.message"] } } };
      return {
        as: alice,
        params: { userId: alice.userId },
        body: filter,
        check: async ({ body }) => {
          const path = `${v3}/user/${part(alice.userId)}/filter/${part(body.filter_id as string)}`;
          expect(await alice.get(path)).toEqual(filter);
        },
      };
    },
  },
  {
    operation: "getFilter",
    route: "GET /_matrix/client/v3/user/{userId}/filter/{filterId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const filter = { presence: { types: ["m.presence"], not_senders: ["@bob:example.org"] } };
      const { filter_id } = await alice.post(`${v3}/user/${part(alice.userId)}/filter`, filter);
      return {
        as: alice,
        params: { userId: alice.userId, filterId: filter_id as string },
        check: ({ body }) => expect(body).toEqual(filter),
      };
    },
  },
];
