import { expect } from "vitest";
import { type Person, part, v3, type World } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

/** A room of alice's that bob is in. */
async function together({ person }: World): Promise<{ alice: Person; bob: Person; roomId: string }> {
  const [alice, bob] = [await person(), await person()];
  const roomId = await alice.room();
  await bob.join(roomId);
  return { alice, bob, roomId };
}

const of = (bob: Person) => ({ user_id: bob.userId, reason: "spring cleaning" });

export const membershipScenarios: Scenario[] = [
  {
    operation: "inviteUser",
    route: "POST /_matrix/client/v3/rooms/{roomId}/invite",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.room();
      return {
        as: alice,
        params: { roomId },
        body: of(bob),
        check: async () => {
          expect(await alice.membershipOf(roomId, bob.userId)).toBe("invite");
          expect(await bob.get(`${v3}/sync`)).toHaveProperty(["rooms", "invite", roomId]);
        },
      };
    },
  },
  {
    operation: "joinRoomById",
    route: "POST /_matrix/client/v3/rooms/{roomId}/join",
    // What an invite to an address comes with; nobody is invited so here.
    ignores: ["third_party_signed"],
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.room();
      return {
        as: bob,
        params: { roomId },
        body: { reason: "curious" },
        check: async ({ body }) => {
          expect(body).toEqual({ room_id: roomId });
          expect(await alice.state(roomId, "m.room.member", bob.userId)).toMatchObject({
            membership: "join",
            reason: "curious",
          });
        },
      };
    },
  },
  {
    operation: "joinRoom",
    route: "POST /_matrix/client/v3/join/{roomIdOrAlias}",
    ignores: ["third_party_signed", "via"],
    prepare: async ({ person, serverName }) => {
      const [alice, bob] = [await person(), await person()];
      const name = `gate-${alice.deviceId.toLowerCase()}`;
      const roomId = await alice.room({ room_alias_name: name });
      return {
        as: bob,
        params: { roomIdOrAlias: `#${name}:${serverName}` },
        query: { via: serverName },
        body: {},
        check: async ({ body }) => {
          expect(body).toEqual({ room_id: roomId });
          expect((await bob.get(`${v3}/joined_rooms`)).joined_rooms).toEqual([roomId]);
        },
      };
    },
  },
  {
    operation: "knockRoom",
    route: "POST /_matrix/client/v3/knock/{roomIdOrAlias}",
    ignores: ["via"],
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const initial_state = [{ type: "m.room.join_rules", content: { join_rule: "knock" } }];
      const roomId = await alice.room({ initial_state });
      return {
        as: bob,
        params: { roomIdOrAlias: roomId },
        body: { reason: "may I?" },
        check: async () => expect(await alice.membershipOf(roomId, bob.userId)).toBe("knock"),
      };
    },
  },
  {
    operation: "leaveRoom",
    route: "POST /_matrix/client/v3/rooms/{roomId}/leave",
    prepare: async (world) => {
      const { alice, bob, roomId } = await together(world);
      return {
        as: bob,
        params: { roomId },
        body: { reason: "late" },
        check: async () => expect(await alice.membershipOf(roomId, bob.userId)).toBe("leave"),
      };
    },
  },
  {
    operation: "forgetRoom",
    route: "POST /_matrix/client/v3/rooms/{roomId}/forget",
    prepare: async (world) => {
      const { bob, roomId } = await together(world);
      await bob.post(`${v3}/rooms/${part(roomId)}/leave`);
      return {
        as: bob,
        params: { roomId },
        body: {},
        check: async () =>
          expect(await bob.status("GET", `${v3}/rooms/${part(roomId)}/messages?dir=b`)).toBe(403),
      };
    },
  },
  {
    operation: "kick",
    route: "POST /_matrix/client/v3/rooms/{roomId}/kick",
    prepare: async (world) => {
      const { alice, bob, roomId } = await together(world);
      return {
        as: alice,
        params: { roomId },
        body: of(bob),
        check: async () =>
          expect(await alice.state(roomId, "m.room.member", bob.userId)).toMatchObject({
            membership: "leave",
            reason: "spring cleaning",
          }),
      };
    },
  },
  {
    operation: "ban",
    route: "POST /_matrix/client/v3/rooms/{roomId}/ban",
    prepare: async (world) => {
      const { alice, bob, roomId } = await together(world);
      return {
        as: alice,
        params: { roomId },
        body: of(bob),
        check: async () => expect(await alice.membershipOf(roomId, bob.userId)).toBe("ban"),
      };
    },
  },
  {
    operation: "unban",
    route: "POST /_matrix/client/v3/rooms/{roomId}/unban",
    prepare: async (world) => {
      const { alice, bob, roomId } = await together(world);
      await alice.post(`${v3}/rooms/${part(roomId)}/ban`, of(bob));
      return {
        as: alice,
        params: { roomId },
        body: of(bob),
        check: async () => expect(await alice.membershipOf(roomId, bob.userId)).toBe("leave"),
      };
    },
  },
];
