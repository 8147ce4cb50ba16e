import { describe, expect, test } from "vitest";
import type { CreateRoomBody, PublicRoomsQuery } from "../../../../src/worker-roomserver/room/api.ts";
import { PublicRooms } from "../../../../src/worker-roomserver/room/query/public-rooms.ts";
import type { PublicRoomsPage } from "../../../../src/worker-roomserver/room/query/public-rooms-page.ts";
import { type OpenParts, openParts, said } from "../../support/open-parts.ts";
import { failNextCommit } from "../../support/users.ts";

async function opened() {
  const t = await openParts();
  const rooms = new PublicRooms(t.parts);
  const list = async (query: PublicRoomsQuery = {}) => said<PublicRoomsPage>(await rooms.list(query));
  const names = async (query: PublicRoomsQuery = {}) => (await list(query)).chunk.map(({ name }) => name);
  return { ...t, list, names };
}
const publish = (t: OpenParts, name: string, more: CreateRoomBody = {}) =>
  t.create({ name, visibility: "public", ...more });

test("lists what is published, with all that is told of it", async () => {
  const t = await opened();
  await t.create({ name: "Secret", preset: "public_chat" });
  const room = await publish(t, "Den", {
    topic: "Bears",
    room_alias_name: "den",
    creation_content: { type: "m.space" },
  });
  await t.set(room, "m.room.avatar", { url: "mxc://h/a" });
  await t.set(room, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
  expect(await t.list()).toEqual({
    chunk: [
      {
        room_id: room,
        num_joined_members: 1,
        world_readable: false,
        guest_can_join: false,
        join_rule: "public",
        name: "Den",
        topic: "Bears",
        canonical_alias: `#den:${t.serverName}`,
        avatar_url: "mxc://h/a",
        room_type: "m.space",
      },
    ],
    total_room_count_estimate: 1,
  });
});

test("says at once what has changed: names, members, and what is not to be listed any more", async () => {
  const t = await opened();
  const small = await publish(t, "Small");
  const large = await publish(t, "Large");
  await t.act(large, "join", "bob");
  expect(await t.names()).toEqual(["Large", "Small"]);
  for (const who of ["bob", "carol"]) await t.act(small, "join", who);
  expect(await t.names()).toEqual(["Small", "Large"]);
  await t.set(small, "m.room.name", { name: "Grown" });
  expect(await t.names()).toEqual(["Grown", "Large"]);
  await t.set(small, "m.room.join_rules", { join_rule: "invite" });
  expect(await t.names()).toEqual(["Large"]);
  await t.set(small, "m.room.history_visibility", { history_visibility: "world_readable" });
  expect(await t.names()).toEqual(["Grown", "Large"]);
  for (const who of ["alice", "bob"]) await t.act(large, "leave", who);
  expect(await t.names()).toEqual(["Grown"]);
  await t.parts.directory.setVisibility(t.user("alice"), small, "private");
  expect(await t.names()).toEqual([]);
});

test("says nothing of what could not be written", async () => {
  const t = await opened();
  const room = await publish(t, "Den");
  failNextCommit(t.storage);
  const [renamed] = await Promise.allSettled([
    t.set(room, "m.room.name", { name: "never" }),
    t.list(),
    t.list(),
  ]);
  expect(renamed.status).toBe("rejected");
  expect(await t.names()).toEqual(["Den"]);
});

describe("filters", () => {
  test.each<[string, PublicRoomsQuery["filter"], string[]]>([
    ["nothing", {}, ["Bären", "Cats", "Dogs"]],
    ["an empty term", { generic_search_term: "" }, ["Bären", "Cats", "Dogs"]],
    ["a name in another case", { generic_search_term: "BÄR" }, ["Bären"]],
    ["a topic", { generic_search_term: "meow" }, ["Cats"]],
    ["an alias", { generic_search_term: "#kennel:" }, ["Dogs"]],
    ["what is nowhere", { generic_search_term: "fish" }, []],
    ["a type", { room_types: ["m.space"] }, ["Cats"]],
    ["no type", { room_types: [null] }, ["Bären", "Dogs"]],
    ["either", { room_types: [null, "m.space"] }, ["Bären", "Cats", "Dogs"]],
    ["no types at all", { room_types: [] }, []],
    ["both", { room_types: [null], generic_search_term: "s" }, ["Dogs"]],
  ])("by %s", async (_, filter, expected) => {
    const t = await opened();
    await publish(t, "Bären");
    await publish(t, "Cats", { topic: "They meow", creation_content: { type: "m.space" } });
    await publish(t, "Dogs", { room_alias_name: "kennel" });
    const { chunk, total_room_count_estimate } = await t.list({ filter });
    expect(chunk.map(({ name }) => name).sort()).toEqual(expected);
    expect(total_room_count_estimate).toBe(expected.length);
  });
});
