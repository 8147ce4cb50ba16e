import { expect } from "vitest";
import { part, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

export const profilesScenarios: Scenario[] = [
  {
    operation: "getUserProfile",
    route: "GET /_matrix/client/v3/profile/{userId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const profile = `${v3}/profile/${part(alice.userId)}`;
      await alice.put(`${profile}/displayname`, { displayname: "Alice" });
      await alice.put(`${profile}/m.tz`, { "m.tz": "Europe/Berlin" });
      return {
        params: { userId: alice.userId },
        check: ({ body }) => expect(body).toEqual({ displayname: "Alice", "m.tz": "Europe/Berlin" }),
      };
    },
  },
  {
    operation: "getProfileField",
    route: "GET /_matrix/client/v3/profile/{userId}/{keyName}",
    prepare: async ({ person }) => {
      const alice = await person();
      await alice.put(`${v3}/profile/${part(alice.userId)}/org.example.job`, {
        "org.example.job": { title: "Gardener" },
      });
      return {
        params: { userId: alice.userId, keyName: "org.example.job" },
        check: ({ body }) => expect(body).toEqual({ "org.example.job": { title: "Gardener" } }),
      };
    },
  },
  {
    operation: "setProfileField",
    route: "PUT /_matrix/client/v3/profile/{userId}/{keyName}",
    prepare: async ({ person }) => {
      const alice = await person();
      const field = `${v3}/profile/${part(alice.userId)}/avatar_url`;
      return {
        as: alice,
        params: { userId: alice.userId, keyName: "avatar_url" },
        body: { avatar_url: "mxc://example.org/abc" },
        check: async () => expect(await alice.get(field)).toEqual({ avatar_url: "mxc://example.org/abc" }),
      };
    },
  },
  {
    operation: "deleteProfileField",
    route: "DELETE /_matrix/client/v3/profile/{userId}/{keyName}",
    prepare: async ({ person }) => {
      const alice = await person();
      const field = `${v3}/profile/${part(alice.userId)}/displayname`;
      await alice.put(field, { displayname: "Alice" });
      return {
        as: alice,
        params: { userId: alice.userId, keyName: "displayname" },
        check: async () => expect(await alice.status("GET", field)).toBe(404),
      };
    },
  },
  {
    operation: "searchUserDirectory",
    route: "POST /_matrix/client/v3/user_directory/search",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      await bob.join(await alice.room());
      await bob.put(`${v3}/profile/${part(bob.userId)}/displayname`, { displayname: "Bartholomew" });
      return {
        as: alice,
        body: { search_term: "bartholo", limit: 5 },
        check: ({ body }) =>
          expect(body).toMatchObject({
            limited: false,
            results: expect.arrayContaining([
              expect.objectContaining({ user_id: bob.userId, display_name: "Bartholomew" }),
            ]),
          }),
      };
    },
  },
  {
    operation: "getMutualRooms",
    route: "GET /_matrix/client/v1/mutual_rooms",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const shared = await alice.room();
      await bob.join(shared);
      await alice.room();
      return {
        as: alice,
        query: { user_id: bob.userId },
        check: ({ body }) => expect(body).toMatchObject({ joined: [shared], count: 1 }),
      };
    },
  },
];
