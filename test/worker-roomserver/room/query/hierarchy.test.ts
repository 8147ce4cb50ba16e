import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type {
  CreateRoomBody,
  HierarchyQuery,
  HierarchyRoom,
} from "../../../../src/worker-roomserver/room/api.ts";
import { SpaceHierarchy } from "../../../../src/worker-roomserver/room/query/hierarchy.ts";
import { hierarchyForServer } from "../../../../src/worker-roomserver/room/query/hierarchy-for-server.ts";
import { type OpenParts, openParts, said } from "../../support/open-parts.ts";
import { refusal } from "../../support/requester.ts";

type Page = { rooms: HierarchyRoom[]; next_batch?: string };

async function opened() {
  const t = await openParts();
  const spaces = new SpaceHierarchy(t.parts);
  const page = async (roomId: string, query: HierarchyQuery = {}, who = "bob") =>
    said<Page>(await spaces.page(t.user(who), roomId, query));
  return {
    ...t,
    page,
    names: async (...args: Parameters<typeof page>) => (await page(...args)).rooms.map(({ name }) => name),
  };
}

const space = (t: OpenParts, name: string, more: CreateRoomBody = {}) =>
  t.create({ name, preset: "public_chat", creation_content: { type: "m.space" }, ...more });
const room = (t: OpenParts, name: string, more: CreateRoomBody = {}) =>
  t.create({ name, preset: "public_chat", ...more });
const link = (t: OpenParts, parent: string, child: string, content: JsonObject = {}) =>
  t.set(parent, "m.space.child", { via: [t.serverName], ...content }, child);

/** top: a (space: a1, a2), b, private; a2 is below b too, were b a space. */
async function tree(t: OpenParts) {
  const [top, a] = [await space(t, "top"), await space(t, "a")];
  const [a1, a2, b] = [await room(t, "a1"), await room(t, "a2"), await room(t, "b")];
  const hidden = await room(t, "hidden", { preset: "private_chat" });
  await link(t, top, b, { order: "2" });
  await link(t, top, a, { order: "1", suggested: true });
  await link(t, top, hidden, { order: "0" });
  await link(t, a, a2, { order: "y" });
  await link(t, a, a1, { order: "x", suggested: true });
  await link(t, b, a2);
  return { top, a, a1, a2, b, hidden };
}

test("goes down before it goes on, leaves out what may not be seen, and shows the events that lead down", async () => {
  const t = await opened();
  const { top, a, a1, a2, b, hidden } = await tree(t);
  const { rooms, next_batch } = await t.page(top);
  expect(next_batch).toBeUndefined();
  expect(rooms.map(({ room_id }) => room_id)).toEqual([top, a, a1, a2, b]);
  expect(rooms.map(({ children_state }) => children_state.map(({ state_key }) => state_key))).toEqual([
    [hidden, a, b],
    [a1, a2],
    [],
    [],
    [],
  ]);
  expect(rooms[1]!.children_state[0]).toEqual({
    type: "m.space.child",
    state_key: a1,
    sender: t.user("alice").userId,
    content: { via: [t.serverName], order: "x", suggested: true },
    origin_server_ts: expect.any(Number),
  });
  expect(rooms[0]).toMatchObject({
    name: "top",
    room_type: "m.space",
    join_rule: "public",
    room_version: "12",
  });
  // A member of the hidden room sees it.
  expect(await t.names(top, {}, "alice")).toEqual(["top", "hidden", "a", "a1", "a2", "b"]);
});

test("a child that was taken out, or names no servers or no room, is none", async () => {
  const t = await opened();
  const top = await space(t, "top");
  const [kept, removed, odd] = [await room(t, "kept"), await room(t, "removed"), await room(t, "odd")];
  await link(t, top, kept);
  await link(t, top, removed);
  await t.set(top, "m.space.child", {}, removed);
  await link(t, top, odd, { via: [1] });
  await link(t, top, "not a room id");
  const { rooms } = await t.page(top);
  expect(rooms.map(({ name }) => name)).toEqual(["top", "kept"]);
  expect(rooms[0]!.children_state).toHaveLength(1);
});

test("circles are gone round once", async () => {
  const t = await opened();
  const [one, other] = [await space(t, "one"), await space(t, "other")];
  await link(t, one, other);
  await link(t, one, one);
  await link(t, other, one);
  expect(await t.names(one)).toEqual(["one", "other"]);
});

test.each<[HierarchyQuery, string[]]>([
  [{ suggested_only: true }, ["top", "a", "a1"]],
  [{ max_depth: 0 }, ["top"]],
  [{ max_depth: 1 }, ["top", "a", "b"]],
  [{ max_depth: 1, suggested_only: true }, ["top", "a"]],
  [{ max_depth: 2 }, ["top", "a", "a1", "a2", "b"]],
])("with %j", async (query, expected) => {
  const t = await opened();
  const { top } = await tree(t);
  expect(await t.names(top, query)).toEqual(expected);
});

describe("pages", () => {
  test("follow one another whatever their size, and can be asked for again", async () => {
    const t = await opened();
    const { top } = await tree(t);
    const whole = await t.names(top);
    for (const limit of [1, 2, 3, 5, 100]) {
      const names: unknown[] = [];
      let from: string | undefined;
      do {
        const page = await t.page(top, { limit, ...(from !== undefined && { from }) });
        expect(page.rooms.length).toBeLessThanOrEqual(limit);
        if (from !== undefined) expect((await t.page(top, { limit, from })).rooms).toEqual(page.rooms);
        names.push(...page.rooms.map(({ name }) => name));
        from = page.next_batch;
      } while (from !== undefined);
      expect(names).toEqual(whole);
    }
  });

  test("end when the token has expired, or comes with other terms or from somebody else", async () => {
    const t = await opened();
    const { top, a } = await tree(t);
    const { next_batch: from } = await t.page(top, { limit: 1 });
    const invalid = { errcode: "M_INVALID_PARAM", status: 400 };
    expect(from).toBeDefined();
    expect(await refusal(t.page(top, { from, max_depth: 1 }))).toEqual(invalid);
    expect(await refusal(t.page(top, { from, suggested_only: true }))).toEqual(invalid);
    expect(await refusal(t.page(a, { from }))).toEqual(invalid);
    expect(await refusal(t.page(top, { from }, "carol"))).toEqual(invalid);
    expect(await refusal(t.page(top, { from: "made-up" }))).toEqual(invalid);
    expect(await t.names(top, { from, limit: 1 })).toEqual(["a"]);
    t.clock.now += 11 * 60_000;
    expect(await refusal(t.page(top, { from }))).toEqual(invalid);
  });

  test("are not shown any more to who may not see the space any more", async () => {
    const t = await opened();
    const { top } = await tree(t);
    const { next_batch: from } = await t.page(top, { limit: 1 });
    await t.set(top, "m.room.join_rules", { join_rule: "invite" });
    expect(await refusal(t.page(top, { from }))).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
  });
});

test.each<[string, HierarchyQuery, string, string, number]>([
  ["a room that is not known", {}, "!nowhere:h", "M_FORBIDDEN", 403],
  ["a limit of none", { limit: 0 }, "", "M_INVALID_PARAM", 400],
  ["half a depth", { max_depth: 0.5 }, "", "M_INVALID_PARAM", 400],
  ["a negative depth", { max_depth: -1 }, "", "M_INVALID_PARAM", 400],
])("%s is refused", async (_, query, unknownRoom, errcode, status) => {
  const t = await opened();
  const roomId = unknownRoom || (await space(t, "top"));
  expect(await refusal(t.page(roomId, query))).toEqual({ errcode, status });
});

test("a page stops where it has looked at enough rooms, and the next goes on from there", async () => {
  const t = await opened();
  const top = await space(t, "top");
  const seen = await room(t, "seen");
  // Rooms that nobody here knows cost a look each.
  await t.parts.writer.write(top, async (plan) => {
    const sender = t.user("alice").userId;
    const add = (stateKey: string, order: string) =>
      plan.add({ type: "m.space.child", sender, stateKey, content: { via: ["h"], order }, ts: 1 });
    for (let i = 0; i < 510; i++) await add(`!unknown${i}:h`, "a");
    await add(seen, "b");
  });
  const first = await t.page(top);
  expect(first.rooms.map(({ name }) => name)).toEqual(["top"]);
  expect(first.next_batch).toBeDefined();
  const second = await t.page(top, { from: first.next_batch });
  expect(second.rooms.map(({ name }) => name)).toEqual(["seen"]);
  expect(second.next_batch).toBeUndefined();
});

describe("for another server", () => {
  const forServer = (t: OpenParts, roomId: string, suggestedOnly = false, server = "far.example") =>
    hierarchyForServer(t.parts, server, roomId, suggestedOnly);

  test("tells of the space and what is right below it, and which of that is closed to it", async () => {
    const t = await opened();
    const { top, a, b, hidden } = await tree(t);
    await link(t, top, "!unknown:h");
    const { room, children, inaccessible_children } = await forServer(t, top);
    expect(room).toEqual((await t.page(top)).rooms[0]);
    expect(children.map(({ room_id }) => room_id)).toEqual([a, b]);
    expect(children[0]).not.toHaveProperty("children_state");
    expect(inaccessible_children).toEqual([hidden]);
    const suggested = await forServer(t, top, true);
    expect(suggested.children.map(({ room_id }) => room_id)).toEqual([a]);
    expect(suggested.room.children_state).toHaveLength(1);
  });

  test("a closed room is not there, but for the servers of members, of who is invited, and of who could join", async () => {
    const t = await opened();
    const { hidden, a } = await tree(t);
    const missing = { errcode: "M_NOT_FOUND", status: 404 };
    expect(await refusal(forServer(t, hidden))).toEqual(missing);
    expect(await refusal(forServer(t, "!nowhere:h"))).toEqual(missing);
    const invite = async (roomId: string, userId: string) =>
      t.parts.writer.write(roomId, async (plan) => {
        const sender = t.user("alice").userId;
        const content = { membership: "invite" };
        await plan.add({ type: "m.room.member", sender, stateKey: userId, content, ts: 1 });
      });
    await invite(hidden, "@dave:far.example");
    expect((await forServer(t, hidden)).room).toMatchObject({ room_id: hidden, join_rule: "invite" });
    expect(await refusal(forServer(t, hidden, false, "other.example"))).toEqual(missing);

    const restricted = await room(t, "restricted");
    const allow = [{ type: "m.room_membership", room_id: a }];
    await t.set(restricted, "m.room.join_rules", { join_rule: "restricted", allow });
    expect(await refusal(forServer(t, restricted))).toEqual(missing);
    expect((await forServer(t, restricted, false, t.serverName)).room.allowed_room_ids).toEqual([a]);
  });
});
