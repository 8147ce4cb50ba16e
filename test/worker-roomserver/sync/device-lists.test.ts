import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SyncAnswer, type TestSync, testSync } from "./support/sync.ts";

const sorted = ({ changed, left }: { changed: string[]; left: string[] }) => ({
  changed: [...changed].sort(),
  left: [...left].sort(),
});

/** What alice is told after `since`, by sync and when she asks for it: the same. */
async function told(t: TestSync, since: string, filter = {}): Promise<{ changed: string[]; left: string[] }> {
  const answer = await t.poll("alice", { since, filter });
  const asked = await t.sync.deviceLists(t.user("alice"), since, answer.next_batch);
  expect(sorted(asked)).toEqual(sorted(answer.device_lists));
  return sorted(answer.device_lists);
}

/** Alice in a room with bob; dave is in none with her. */
async function start() {
  const t = await testSync();
  const roomId = await t.create("bob");
  await t.act("alice", "join", roomId);
  const elsewhere = await t.create("dave");
  const { next_batch: since } = await t.poll("alice");
  return { t, roomId, elsewhere, since };
}

const nothing = { changed: [], left: [] };

describe("of devices a client is told", () => {
  test("nothing at first, when it looks up what it needs", async () => {
    const { t } = await start();
    await t.keys.change(t.id("bob"));
    expect((await t.poll("alice")).device_lists).toEqual(nothing);
  });

  test("of all that may have changed, when it is not known since when", async () => {
    const { t } = await start();
    const since = "h999";
    const everybody = { changed: [t.id("alice"), t.id("bob")], left: [] };
    expect(sorted((await t.poll("alice", { since })).device_lists)).toEqual(everybody);
    expect(sorted(await t.sync.deviceLists(t.user("alice"), since, since))).toEqual(everybody);
  });

  test("whose have changed: one's own and those of who shares a room, once", async () => {
    const { t, since } = await start();
    for (const who of ["alice", "bob", "dave", "bob"]) await t.keys.change(t.id(who));
    expect(await told(t, since)).toEqual({ changed: [t.id("alice"), t.id("bob")], left: [] });
    expect(await told(t, (await t.poll("alice", { since })).next_batch)).toEqual(nothing);
  });

  test("whose signatures are others, by oneself alone", async () => {
    const { t, since } = await start();
    await t.keys.sign(t.id("bob"), t.id("alice"));
    expect(await told(t, since)).toEqual(nothing);
    await t.keys.sign(t.id("alice"), t.id("bob"));
    expect(await told(t, since)).toEqual({ changed: [t.id("bob")], left: [] });
  });

  test("who has come to share a room, by their coming and by one's own", async () => {
    const { t, roomId, elsewhere, since } = await start();
    await t.act("carol", "join", roomId);
    expect(await told(t, since)).toEqual({ changed: [t.id("carol")], left: [] });
    await t.act("alice", "join", elsewhere);
    expect(await told(t, since)).toEqual({ changed: [t.id("carol"), t.id("dave")], left: [] });
  });

  test("not of who is invited or has another name", async () => {
    const { t, roomId, since } = await start();
    await t.act("bob", "invite", roomId, "carol");
    await t.setState("bob", roomId, "m.room.member", { membership: "join", displayname: "B" }, t.id("bob"));
    expect(await told(t, since)).toEqual(nothing);
  });

  test("with whom no room is shared any more, by their going and by one's own", async () => {
    const { t, roomId, since } = await start();
    await t.act("carol", "join", roomId);
    const { next_batch } = await t.poll("alice", { since });
    await t.act("carol", "leave", roomId);
    expect(await told(t, next_batch)).toEqual({ changed: [], left: [t.id("carol")] });
    expect(await told(t, since)).toEqual(nothing); // who came and went within the span was never known
    await t.act("alice", "leave", roomId);
    expect(await told(t, since)).toEqual({ changed: [], left: [t.id("bob")] });
    // Whoever is gone may change as they like.
    const later = (await t.poll("alice", { since })).next_batch;
    await t.keys.change(t.id("bob"));
    expect(await told(t, later)).toEqual(nothing);
  });

  test("who went after oneself, and with whom one is invited again", async () => {
    const { t, roomId, since } = await start();
    await t.act("alice", "leave", roomId);
    await t.act("bob", "invite", roomId, "alice");
    expect(await told(t, since)).toEqual({ changed: [], left: [t.id("bob")] });
    await t.act("bob", "leave", roomId);
    expect(await told(t, since)).toEqual({ changed: [], left: [t.id("bob")] });
  });

  test("not of who came and was left behind within one span", async () => {
    const { t, roomId, since } = await start();
    await t.act("carol", "join", roomId);
    await t.act("alice", "leave", roomId);
    expect(await told(t, since)).toEqual({ changed: [], left: [t.id("bob")] });
  });

  test("not of who has left one room and is in another", async () => {
    const { t, roomId } = await start();
    const other = await t.create("bob");
    await t.act("alice", "join", other);
    const { next_batch } = await t.poll("alice");
    await t.act("bob", "leave", roomId);
    expect(await told(t, next_batch)).toEqual(nothing);
    await t.act("bob", "leave", other);
    expect(await told(t, next_batch)).toEqual({ changed: [], left: [t.id("bob")] });
  });

  test("the same where a filter hides the rooms", async () => {
    const { t, roomId, since } = await start();
    await t.act("carol", "join", roomId);
    const filter = { room: { not_rooms: [roomId] } };
    expect(await told(t, since, filter)).toEqual({ changed: [t.id("carol")], left: [] });
  });

  test("of all in a room that has changed too much to be read through", async () => {
    const { t, roomId, since } = await start();
    await t.act("carol", "join", roomId);
    const { next_batch } = await t.poll("alice", { since });
    await t.act("carol", "leave", roomId);
    await t.act("dave", "join", roomId);
    const entries = Array.from({ length: 1_001 }, (_, i) => `${i}`);
    await Promise.all(entries.map((key) => t.setState("bob", roomId, "org.example.entry", {}, key)));
    const everybody = { changed: [t.id("bob"), t.id("dave")], left: [t.id("carol")] };
    expect(await told(t, next_batch)).toEqual(everybody);
  });

  test("not between two tokens in the wrong order, nor by one that was never given out", async () => {
    const { t, roomId, since } = await start();
    await t.act("carol", "join", roomId);
    const { next_batch } = await t.poll("alice", { since });
    expect(await t.sync.deviceLists(t.user("alice"), next_batch, since)).toEqual(nothing);
    await expect(t.sync.deviceLists(t.user("alice"), "x", since)).rejects.toMatchObject({
      errcode: "M_INVALID_PARAM",
      message: expect.stringContaining('"from"'),
    });
    await expect(t.sync.deviceLists(t.user("alice"), since, "x")).rejects.toMatchObject({
      errcode: "M_INVALID_PARAM",
      message: expect.stringContaining('"to"'),
    });
  });
});

test("how many keys are left is told of the device that asks", async () => {
  const { t, since } = await start();
  const counts = { oneTimeKeys: { signed_curve25519: 7 }, unusedFallbacks: ["signed_curve25519"] };
  t.keys.left.set(`${t.id("alice")} ${t.user("alice").deviceId}`, counts);
  expect(await t.poll("alice", { since })).toMatchObject({
    device_one_time_keys_count: { signed_curve25519: 7 },
    device_unused_fallback_key_types: ["signed_curve25519"],
  });
  expect(await t.poll("alice", { since, device: "OTHER" })).toMatchObject({
    device_one_time_keys_count: { signed_curve25519: 0 },
    device_unused_fallback_key_types: [],
  });
});

const PEOPLE = ["alice", "bob", "carol", "dave"] as const;
type Act = { kind: "join" | "leave" | "keys" | "sync"; who: (typeof PEOPLE)[number]; room: 0 | 1 };

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom("join", "join", "leave", "keys", "sync"),
  who: fc.constantFrom(...PEOPLE),
  room: fc.constantFrom(0, 1),
});

/** Who is in which room, and whose keys have changed how often: all there is to it. */
type Model = { members: [Set<string>, Set<string>]; keys: Map<string, number> };

/** What alice has to be told who knew one model and is to know another. */
function difference(before: Model, after: Model): { changed: string[]; left: string[] } {
  const shared = (model: Model, room: 0 | 1) =>
    model.members[room].has("alice") ? [...model.members[room]].filter((who) => who !== "alice") : [];
  const sharing = (model: Model) => new Set([...shared(model, 0), ...shared(model, 1)]);
  const [was, is] = [sharing(before), sharing(after)];
  const come = ([0, 1] as const).flatMap((room) =>
    shared(after, room).filter((who) => !shared(before, room).includes(who)),
  );
  const rekeyed = PEOPLE.filter((who) => before.keys.get(who) !== after.keys.get(who));
  return {
    changed: [...new Set([...come, ...rekeyed])].filter((who) => who === "alice" || is.has(who)),
    left: [...was].filter((who) => !is.has(who)),
  };
}

const copyOf = ({ members, keys }: Model): Model => ({
  members: [new Set(members[0]), new Set(members[1])],
  keys: new Map(keys),
});

test("between any two tokens, sync and keys/changes tell what differs", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
      const t = await testSync();
      const rooms = [await t.create("owner"), await t.create("owner")];
      const model: Model = { members: [new Set(["owner"]), new Set(["owner"])], keys: new Map() };
      const known: { token: string; model: Model }[] = [];
      const note = async () =>
        known.push({ token: (await t.poll("alice")).next_batch, model: copyOf(model) });
      await note();
      for (const { kind, who, room } of acts) {
        const members = model.members[room];
        if (kind === "sync") await note();
        else if (kind === "keys") {
          await t.keys.change(t.id(who));
          model.keys.set(who, (model.keys.get(who) ?? 0) + 1);
        } else if (kind === "join" && !members.has(who)) {
          await t.act(who, "join", rooms[room]!);
          members.add(who);
        } else if (kind === "leave" && members.has(who)) {
          await t.act(who, "leave", rooms[room]!);
          members.delete(who);
        }
      }
      const now: SyncAnswer = await t.poll("alice");
      for (const { token, model: before } of known) {
        const { changed, left } = difference(before, model);
        const expected = sorted({ changed: changed.map(t.id), left: left.map(t.id) });
        expect(sorted((await t.poll("alice", { since: token })).device_lists)).toEqual(expected);
        expect(sorted(await t.sync.deviceLists(t.user("alice"), token, now.next_batch))).toEqual(expected);
      }
    }),
    { numRuns: 25 }, // each is a database of its own
  );
});
