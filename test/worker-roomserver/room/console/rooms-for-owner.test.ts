import { describe, expect, test } from "vitest";
import type { RoomsForOwner } from "../../../../src/worker-roomserver/room/console/api.ts";
import { roomsForOwner } from "../../../../src/worker-roomserver/room/console/rooms-for-owner.ts";
import { finishPurges } from "../../../../src/worker-roomserver/room/purge/remove.ts";
import { type TestParts, testParts } from "../../support/room-parts.ts";
import { error } from "../../support/users.ts";

async function owner(): Promise<TestParts & { rooms: RoomsForOwner }> {
  const parts = await testParts();
  return { ...parts, rooms: roomsForOwner(parts) };
}

const all = { orderBy: "name", dir: "f", limit: 100 } as const;

describe("rooms in a list", () => {
  test("are as they are now, though they are kept in memory", async () => {
    const t = await owner();
    const roomId = await t.create("alice", { name: "Garden", preset: "public_chat" });
    const listed = async () => (await t.rooms.list(all)).rooms[0]!;
    const first = await listed();
    expect(first).toMatchObject({
      ...{ room_id: roomId, name: "Garden", creator: t.user("alice").userId, join_rule: "public" },
      ...{ published: false, joined_members: 1, joined_local_members: 1 },
    });
    expect(await listed()).toEqual(first);

    await t.send(roomId, "alice", { body: "hello" });
    const last = t.clock.now;
    expect(await listed()).toMatchObject({ events: first.events + 1, last_ts: last });
    await t.act(roomId, "join", "bob");
    await t.setState(roomId, "alice", "m.room.name", { name: "Park" });
    await t.setState(roomId, "alice", "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
    await t.directory.setVisibility({ ...t.user("owner"), admin: true }, roomId, "public");
    expect(await listed()).toMatchObject({
      ...{ name: "Park", joined_members: 2, events: first.events + 4, published: true },
      encryption: "m.megolm.v1.aes-sha2",
    });
  });

  test("have no room that is gone, and one that came", async () => {
    const t = await owner();
    const gone = await t.create("alice", { name: "a" });
    expect((await t.rooms.list(all)).total).toBe(1);
    const came = await t.create("alice", { name: "b" });
    await t.rooms.startPurge(gone, { leave: true });
    await expect.poll(async () => (await t.rooms.purgeStatus(gone)).status).toBe("removing");
    expect((await t.rooms.list(all)).rooms.map(({ room_id }) => room_id)).toEqual([came]);
  });
});

test("details of a room say which servers are in it, and what nothing is built upon", async () => {
  const t = await owner();
  const roomId = await t.create("alice", { topic: "plants" });
  const eventId = await t.send(roomId, "alice", { body: "hello" });
  const details = await t.rooms.details(roomId);
  expect(details).toMatchObject({
    ...{ topic: "plants", history_visibility: "shared", joined_servers: 1, aliases: [] },
    servers: [{ server_name: t.author.serverName, joined_members: 1 }],
    forward_extremities: [eventId],
  });
  const before = details.state_events;
  await t.setState(roomId, "alice", "m.room.name", { name: "new" });
  expect((await t.rooms.details(roomId)).state_events).toBe(before + 1);
  await expect(t.rooms.details("!none")).rejects.toEqual(error("M_NOT_FOUND", 404));
});

test("a user's rooms are paged by their ids", async () => {
  const t = await owner();
  const made = [await t.create("alice"), await t.create("alice"), await t.create("alice")].sort();
  await t.act(made[1]!, "leave", "alice");
  const { userId } = t.user("alice");
  const first = await t.rooms.roomsOf(userId, { limit: 2 });
  expect(first).toEqual({
    rooms: [
      { room_id: made[0], membership: "join" },
      { room_id: made[1], membership: "leave" },
    ],
    next_batch: made[1],
  });
  expect(await t.rooms.roomsOf(userId, { limit: 2, from: first.next_batch })).toEqual({
    rooms: [{ room_id: made[2], membership: "join" }],
  });
});

describe("media of a room", () => {
  const picture = (n: number) => ({
    body: "p",
    url: `mxc://h/${n}`,
    info: { thumbnail_url: `mxc://h/t${n}` },
  });

  test("are found wherever they stand in an event, the newest first, page by page", async () => {
    const t = await owner();
    const roomId = await t.create("alice");
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      ids.push(await t.send(roomId, "alice", picture(n)));
      await t.send(roomId, "alice", { body: "mxc://h/ no address", url: "https://h/1" });
    }
    const first = await t.rooms.media(roomId, { limit: 2 });
    expect(first.media).toMatchObject([
      { event_id: ids[2], uris: ["mxc://h/2", "mxc://h/t2"] },
      { event_id: ids[1], uris: ["mxc://h/1", "mxc://h/t1"] },
    ]);
    const second = await t.rooms.media(roomId, { limit: 2, from: first.next_batch });
    expect(second).toMatchObject({ media: [{ event_id: ids[0] }] });
    expect(second.next_batch).toBeUndefined();
  });

  test.each(["", "x", "1e9", "Infinity"])("%j is no place to go on from", async (from) => {
    const t = await owner();
    const roomId = await t.create("alice");
    await expect(t.rooms.media(roomId, { limit: 2, from })).rejects.toEqual(error("M_INVALID_PARAM", 400));
  });
});

describe("an alias that the owner makes", () => {
  test("leads to a room that they are not in, and to no other", async () => {
    const t = await owner();
    const [one, other] = [await t.create("alice"), await t.create("alice")];
    const alias = `#garden:${t.author.serverName}`;
    await t.rooms.setAlias("request", t.user("owner"), alias, one);
    await t.rooms.setAlias("request", t.user("owner"), alias, one); // the same request again
    expect(await t.directory.resolve(alias)).toMatchObject({ room_id: one });
    await expect(t.rooms.setAlias("another", t.user("owner"), alias, other)).rejects.toEqual(
      error("M_ROOM_IN_USE", 400),
    );
    await expect(
      t.rooms.setAlias("a third", t.user("owner"), `#x:${t.author.serverName}`, "!none"),
    ).rejects.toEqual(error("M_NOT_FOUND", 404));
  });
});

describe("a purge", () => {
  test("says how far it is, to whoever asks", async () => {
    const t = await owner();
    const roomId = await t.create("alice");
    expect(await t.rooms.purgeStatus(roomId)).toEqual({ status: "none" });
    expect(await t.rooms.startPurge(roomId, { leave: true })).toEqual({ status: "leaving" });
    await t.rooms.startPurge(roomId, { leave: true }); // it is no second purge
    await expect.poll(() => t.rooms.purgeStatus(roomId)).toEqual({ status: "removing" });
    // The next leader goes on with it, and knows that.
    expect(await roomsForOwner(t).purgeStatus(roomId)).toEqual({ status: "removing" });
    for await (const _ of finishPurges(t));
    expect(await t.rooms.purgeStatus(roomId)).toEqual({ status: "done" });
    await expect(t.rooms.startPurge(roomId, { leave: true })).rejects.toEqual(error("M_NOT_FOUND", 404));
  });

  test("of a room that is not there is none", async () => {
    const t = await owner();
    await expect(t.rooms.startPurge("!none", { leave: true })).rejects.toEqual(error("M_NOT_FOUND", 404));
    expect(await t.rooms.purgeStatus("!none")).toEqual({ status: "none" });
  });
});
