import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { createRoom, good, home, type Person, refused, v3 } from "./support/people.ts";

const blocked = refused(403, "M_INVITE_BLOCKED");
const config = (who: Person, content: JsonObject) =>
  good(who.put(`${v3}/user/${who.userId}/account_data/m.invite_permission_config`, content));
const invitesOf = async (who: Person) => {
  const { rooms } = (await good(who.get(`${v3}/sync`))) as { rooms: { invite: JsonObject } };
  return Object.keys(rooms.invite);
};
const slidingRoomsOf = async (who: Person) => {
  const lists = { all: { ranges: [[0, 20]], timeline_limit: 1, required_state: [] } };
  const path = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0";
  return Object.keys((await good(who.post(path, { lists }))).rooms as JsonObject);
};

async function people() {
  const t = await home();
  return { ...t, alice: await t.person("alice"), bob: await t.person("bob") };
}

describe("who blocks invites", () => {
  test("gets none, in whatever way", async () => {
    const { alice, bob } = await people();
    const roomId = await createRoom(alice);
    await config(bob, { default_action: "block" });
    const invite = () => alice.post(`${v3}/rooms/${roomId}/invite`, { user_id: bob.userId });
    const asState = () =>
      alice.put(`${v3}/rooms/${roomId}/state/m.room.member/${bob.userId}`, { membership: "invite" });
    const withRoom = () => alice.post(`${v3}/createRoom`, { invite: [bob.userId] });
    for (const way of [invite, asState, withRoom]) expect(await way()).toMatchObject(blocked);
    expect(await good(alice.get(`${v3}/joined_rooms`))).toEqual({ joined_rooms: [roomId] });
    // Others are no business of bob's setting, nor is what else is done to him.
    await good(bob.post(`${v3}/rooms/${roomId}/join`));
    await good(alice.post(`${v3}/rooms/${roomId}/kick`, { user_id: bob.userId }));
    await config(bob, {});
    await good(invite());
    expect(await invitesOf(bob)).toEqual([roomId]);
  });

  test("is not shown those that came before, but for when that ends", async () => {
    const { alice, bob } = await people();
    const roomId = await createRoom(alice, { invite: [bob.userId] });
    const { next_batch } = await good(alice.get(`${v3}/sync`));
    expect(await invitesOf(bob)).toEqual([roomId]);
    await config(bob, { default_action: "block" });
    expect(await invitesOf(bob)).toEqual([]);
    expect(await slidingRoomsOf(bob)).toEqual([]);
    const since = await good(bob.get(`${v3}/sync?since=${next_batch}`));
    expect(since).toMatchObject({ rooms: { invite: {} } });
    const state = (await good(alice.get(`${v3}/rooms/${roomId}/members?membership=invite`))).chunk;
    expect(state).toMatchObject([{ state_key: bob.userId }]);
    await config(bob, { default_action: "allow" });
    expect(await invitesOf(bob)).toEqual([roomId]);
    expect(await slidingRoomsOf(bob)).toEqual([roomId]);
  });
});

test.each<JsonObject>([
  {},
  { default_action: "allow" },
  { default_action: ["block"] },
  { default_action: null },
])("%j takes invites", async (content) => {
  const { alice, bob } = await people();
  await config(bob, content);
  await createRoom(alice, { invite: [bob.userId] });
  expect(await invitesOf(bob)).toHaveLength(1);
});

test("an invite from somebody who is ignored is not shown", async () => {
  const { alice, bob } = await people();
  await good(
    bob.put(`${v3}/user/${bob.userId}/account_data/m.ignored_user_list`, {
      ignored_users: { [alice.userId]: {} },
    }),
  );
  await createRoom(alice, { invite: [bob.userId] });
  expect(await invitesOf(bob)).toEqual([]);
});
