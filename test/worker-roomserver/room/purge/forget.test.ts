import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finishPurges } from "../../../../src/worker-roomserver/room/purge/remove.ts";
import { type TestRooms, testRooms } from "../../support/room.ts";
import { testSync } from "../../sync/support/sync.ts";

type Action = "join" | "leave" | "invite" | "kick";

const create = async (t: TestRooms, body: object = {}) =>
  (await t.rooms.createRoom(t.request(), t.user("alice"), { preset: "public_chat", ...body })).room_id;
const act = (t: TestRooms, roomId: string, action: Action, who: string, target = who) =>
  t.rooms.changeMembership(t.request(), t.user(who), { roomId, action, target: t.user(target).userId });
const leaveAndForget = async (t: TestRooms, roomId: string, who: string) => {
  await act(t, roomId, "leave", who);
  await t.rooms.forget(t.user(who), roomId);
};
/** Whether the server has the room, and the number of rooms that it is about to remove. */
const isKnown = async (t: TestRooms, roomId: string): Promise<boolean> => {
  const room = (await t.rooms.nid(roomId))!;
  const [row, purge] = await Promise.all([t.storage.get("rooms", room), t.storage.get("purges", room)]);
  expect(row === undefined).toBe(purge !== undefined);
  return row !== undefined;
};

describe("a room that is forgotten", () => {
  test("by the last who was in it is removed", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    await act(t, roomId, "join", "bob");
    await leaveAndForget(t, roomId, "alice");
    expect(await isKnown(t, roomId)).toBe(true);
    await act(t, roomId, "leave", "bob");
    expect(await isKnown(t, roomId)).toBe(true);
    await t.rooms.forget(t.user("bob"), roomId);
    expect(await isKnown(t, roomId)).toBe(false);
    await expect(t.rooms.forget(t.user("bob"), roomId)).resolves.toBeUndefined();
    expect((await t.rooms.membershipOf(t.user("bob").userId, (await t.rooms.nid(roomId))!))?.forgotten).toBe(
      true,
    );
  });

  test.each<[why: string, does: (t: TestRooms, roomId: string) => Promise<unknown>]>([
    ["somebody is invited", (t, roomId) => act(t, roomId, "invite", "alice", "bob")],
    [
      "somebody who was invited has declined, and not forgotten it",
      async (t, roomId) => {
        await act(t, roomId, "invite", "alice", "bob");
        await act(t, roomId, "leave", "bob");
      },
    ],
    [
      "it has an alias",
      (t, roomId) => t.rooms.setAlias(t.request(), t.user("alice"), `#a:${t.serverName}`, roomId),
    ],
    ["it is in the directory", (t, roomId) => t.rooms.setVisibility(t.user("alice"), roomId, "public")],
  ])("stays where %s", async (_, does) => {
    const t = await testRooms();
    const roomId = await create(t);
    await does(t, roomId);
    await leaveAndForget(t, roomId, "alice");
    expect(await isKnown(t, roomId)).toBe(true);
  });

  test("is not read any more by who has forgotten it, until they are in it again", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    await act(t, roomId, "join", "bob");
    await act(t, roomId, "leave", "bob");
    const read = () => t.rooms.state(t.user("bob"), roomId);
    await expect(read()).resolves.toBeDefined();
    await t.rooms.forget(t.user("bob"), roomId);
    await expect(read()).rejects.toMatchObject({ errcode: "M_FORBIDDEN", status: 403 });
    await act(t, roomId, "join", "bob");
    await expect(read()).resolves.toBeDefined();
  });

  test("goes with its last alias, or its place in the directory", async () => {
    const t = await testRooms();
    const admin = { ...t.user("alice"), admin: true };
    const alias = `#lobby:${t.serverName}`;
    const roomId = await create(t, { room_alias_name: "lobby", visibility: "public" });
    await act(t, roomId, "join", "bob");
    await t.rooms.setVisibility(admin, roomId, "private");
    await t.rooms.setVisibility(admin, roomId, "public");
    await leaveAndForget(t, roomId, "alice");
    await t.rooms.setVisibility(admin, roomId, "private");
    await leaveAndForget(t, roomId, "bob");
    expect(await isKnown(t, roomId)).toBe(true);
    const request = t.request();
    await t.rooms.deleteAlias(request, admin, alias);
    expect(await isKnown(t, roomId)).toBe(false);
    expect(await t.rooms.deleteAlias(request, admin, alias)).toEqual({});
  });

  test("is told as left to a client that has not heard of it", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    const { next_batch: since } = await t.poll("alice");
    await t.act("alice", "leave", roomId);
    await t.rooms.forget(t.user("alice"), roomId);
    const { leave } = (await t.poll("alice", { since })).rooms;
    expect(leave[roomId]!.timeline.events.at(-1)).toMatchObject({ content: { membership: "leave" } });
  });
});

test("property: whoever comes and goes at once, a room is there as long as somebody is in it", async () => {
  const who = fc.constantFrom("alice", "bob", "carol");
  const step = fc.tuple(fc.constantFrom("join", "leave", "forget", "pause"), who);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const t = await testRooms();
      const roomId = await create(t);
      const room = (await t.rooms.nid(roomId))!;
      let pending: Promise<unknown>[] = [];
      const settle = async () => {
        const outcomes = await Promise.allSettled(pending);
        pending = [];
        for (const outcome of outcomes) {
          // What may be refused is refused in the words of the protocol.
          if (outcome.status === "rejected") expect(outcome.reason).toHaveProperty("errcode");
        }
      };
      for (const [what, name] of steps) {
        if (what === "pause") await settle();
        else if (what === "forget") pending.push(t.rooms.forget(t.user(name), roomId));
        else pending.push(act(t, roomId, what, name));
      }
      await settle();
      const joined = await t.rooms.usersIn(room, "join");
      const known = await isKnown(t, roomId);
      if (joined.length > 0) expect(known).toBe(true);
      for await (const _ of finishPurges(t.parts));
      const again = await testRooms(t.storage.name);
      expect((await again.rooms.usersIn(room, "join")).sort()).toEqual([...joined].sort());
      expect((await again.storage.getAll("snapshots")).length > 0).toBe(known);
    }),
    { numRuns: 40 },
  );
});
