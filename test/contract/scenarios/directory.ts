import { expect } from "vitest";
import { part, unique, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

/** A room of whom the homeserver tells everybody, by a name of its own. */
const published = () => ({ name: unique("Orchard "), visibility: "public" });

export const directoryScenarios: Scenario[] = [
  {
    operation: "getRoomIdByAlias",
    route: "GET /_matrix/client/v3/directory/room/{roomAlias}",
    prepare: async ({ person, serverName }) => {
      const alice = await person();
      const room_alias_name = unique("plot");
      const roomId = await alice.room({ room_alias_name });
      return {
        params: { roomAlias: `#${room_alias_name}:${serverName}` },
        check: ({ body }) => expect(body).toEqual({ room_id: roomId, servers: [serverName] }),
      };
    },
  },
  {
    operation: "setRoomAlias",
    route: "PUT /_matrix/client/v3/directory/room/{roomAlias}",
    prepare: async ({ person, serverName }) => {
      const alice = await person();
      const roomId = await alice.room();
      const roomAlias = `#${unique("plot")}:${serverName}`;
      return {
        as: alice,
        params: { roomAlias },
        body: { room_id: roomId },
        check: async () =>
          expect(await alice.get(`${v3}/directory/room/${part(roomAlias)}`)).toMatchObject({
            room_id: roomId,
          }),
      };
    },
  },
  {
    operation: "deleteRoomAlias",
    route: "DELETE /_matrix/client/v3/directory/room/{roomAlias}",
    prepare: async ({ person, serverName }) => {
      const alice = await person();
      const room_alias_name = unique("plot");
      await alice.room({ room_alias_name });
      const roomAlias = `#${room_alias_name}:${serverName}`;
      return {
        as: alice,
        params: { roomAlias },
        check: async () =>
          expect(await alice.status("GET", `${v3}/directory/room/${part(roomAlias)}`)).toBe(404),
      };
    },
  },
  {
    operation: "getLocalAliases",
    route: "GET /_matrix/client/v3/rooms/{roomId}/aliases",
    prepare: async ({ person, serverName }) => {
      const alice = await person();
      const room_alias_name = unique("plot");
      return {
        as: alice,
        params: { roomId: await alice.room({ room_alias_name }) },
        check: ({ body }) => expect(body).toEqual({ aliases: [`#${room_alias_name}:${serverName}`] }),
      };
    },
  },
  {
    operation: "getRoomVisibilityOnDirectory",
    route: "GET /_matrix/client/v3/directory/list/room/{roomId}",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        params: { roomId: await alice.room({ visibility: "public" }) },
        check: ({ body }) => expect(body).toEqual({ visibility: "public" }),
      };
    },
  },
  {
    operation: "setRoomVisibilityOnDirectory",
    route: "PUT /_matrix/client/v3/directory/list/room/{roomId}",
    prepare: async ({ person }) => {
      const alice = await person();
      const roomId = await alice.room();
      return {
        as: alice,
        params: { roomId },
        body: { visibility: "public" },
        check: async () =>
          expect(await alice.get(`${v3}/directory/list/room/${part(roomId)}`)).toEqual({
            visibility: "public",
          }),
      };
    },
  },
  {
    operation: "getPublicRooms",
    route: "GET /_matrix/client/v3/publicRooms",
    prepare: async ({ person, serverName }) => {
      const alice = await person();
      const { name, visibility } = published();
      const roomId = await alice.room({ name, visibility });
      return {
        query: { limit: "100", server: serverName },
        check: ({ body }) =>
          expect(body.chunk).toEqual(
            expect.arrayContaining([
              expect.objectContaining({ room_id: roomId, name, num_joined_members: 1 }),
            ]),
          ),
      };
    },
  },
  {
    operation: "queryPublicRooms",
    route: "POST /_matrix/client/v3/publicRooms",
    // There are no networks of application services here.
    ignores: ["include_all_networks", "third_party_instance_id"],
    prepare: async ({ person }) => {
      const alice = await person();
      const { name, visibility } = published();
      const roomId = await alice.room({ name, visibility });
      return {
        as: alice,
        body: { limit: 10, filter: { generic_search_term: name.toLowerCase(), room_types: [null] } },
        check: ({ body }) => expect(body.chunk).toEqual([expect.objectContaining({ room_id: roomId, name })]),
      };
    },
  },
  ...[
    { operation: "getRoomSummary", path: "v1/room_summary/{roomIdOrAlias}" },
    // As clients from before the spec had it ask: MSC3266 in its two forms.
    { path: "unstable/im.nheko.summary/rooms/{roomIdOrAlias}/summary" },
    { path: "unstable/im.nheko.summary/summary/{roomIdOrAlias}" },
  ].map(
    ({ path, ...operation }): Scenario => ({
      ...operation,
      route: `GET /_matrix/client/${path}`,
      auth: "optional",
      ignores: ["via"],
      prepare: async ({ person }) => {
        const [alice, bob] = [await person(), await person()];
        const roomId = await alice.room({ name: "Orchard" });
        return {
          as: bob,
          params: { roomIdOrAlias: roomId },
          check: ({ body }) =>
            expect(body).toMatchObject({ room_id: roomId, name: "Orchard", num_joined_members: 1 }),
        };
      },
    }),
  ),
  {
    operation: "getSpaceHierarchy",
    route: "GET /_matrix/client/v1/rooms/{roomId}/hierarchy",
    prepare: async ({ person, serverName }) => {
      const alice = await person();
      const child = await alice.room({ name: "Plot" });
      const space = await alice.room({ creation_content: { type: "m.space" } });
      await alice.setState(space, "m.space.child", { via: [serverName] }, child);
      return {
        as: alice,
        params: { roomId: space },
        query: { limit: "10", max_depth: "2", suggested_only: "false" },
        check: ({ body }) =>
          expect(body.rooms).toEqual([
            expect.objectContaining({ room_id: space, room_type: "m.space" }),
            expect.objectContaining({ room_id: child, name: "Plot" }),
          ]),
      };
    },
  },
];
