import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { ThreadsQuery } from "../../../../src/worker-roomserver/room/api.ts";
import { threads } from "../../../../src/worker-roomserver/room/query/threads.ts";
import { refusal } from "../../support/requester.ts";
import { page, relating, type TestParts, testParts } from "../../support/room-parts.ts";

const ask = async (
  t: TestParts,
  roomId: string,
  query: Partial<ThreadsQuery> = {},
  who = "alice",
  ignored?: ReadonlySet<string>,
) => page(await threads(t, t.user(who), roomId, { include: "all", limit: 100, ...query }, ignored));

const ids = ({ chunk }: { chunk: { event_id: string }[] }) => chunk.map(({ event_id }) => event_id);

async function withRoom(): Promise<{ t: TestParts; roomId: string }> {
  const t = await testParts();
  const roomId = await t.create("alice", { preset: "public_chat" });
  await t.act(roomId, "join", "bob");
  return { t, roomId };
}

const reply = (t: TestParts, roomId: string, root: string, who = "bob") =>
  t.send(roomId, who, relating("m.thread", root));

/** Threads of one reply each, in the order of their replies. */
async function withThreads(count: number): Promise<{ t: TestParts; roomId: string; roots: string[] }> {
  const { t, roomId } = await withRoom();
  const roots: string[] = [];
  for (let i = 0; i < count; i++) {
    const root = await t.send(roomId, "alice", { body: `${i}` });
    await reply(t, roomId, root);
    roots.push(root);
  }
  return { t, roomId, roots };
}

describe("threads", () => {
  test("come with the latest reply first, and with what is said of them", async () => {
    const { t, roomId } = await withRoom();
    const a = await t.send(roomId, "alice", { body: "a" });
    const b = await t.send(roomId, "alice", { body: "b" });
    await reply(t, roomId, a);
    const latestOfB = await reply(t, roomId, b);
    const latestOfA = await reply(t, roomId, a);
    expect((await ask(t, roomId)).chunk).toMatchObject([
      {
        event_id: a,
        room_id: roomId,
        unsigned: { "m.relations": { "m.thread": { latest_event: { event_id: latestOfA }, count: 2 } } },
      },
      {
        event_id: b,
        unsigned: { "m.relations": { "m.thread": { latest_event: { event_id: latestOfB }, count: 1 } } },
      },
    ]);
  });

  test("come in pages, while others come to the front", async () => {
    const { t, roomId, roots } = await withThreads(7);
    const found: string[] = [];
    let from: string | undefined;
    do {
      const answer = await ask(t, roomId, { limit: 3, from });
      found.push(...ids(answer));
      from = answer.next_batch;
      await reply(t, roomId, roots[6]!);
    } while (from !== undefined);
    expect(found).toEqual([...roots].reverse());
    expect(ids(await ask(t, roomId, { limit: 7 }))).toHaveLength(7);
    expect(await ask(t, roomId, { limit: 7 })).not.toHaveProperty("next_batch");
  });

  test("that one takes part in are those of one's own events and replies", async () => {
    const { t, roomId } = await withRoom();
    const own = await t.send(roomId, "alice", {});
    const joined = await t.send(roomId, "bob", {});
    const other = await t.send(roomId, "bob", {});
    await reply(t, roomId, own);
    await reply(t, roomId, joined, "alice");
    await reply(t, roomId, other);
    expect(ids(await ask(t, roomId, { include: "participated" }))).toEqual([joined, own]);
    // It goes on past those that do not count, until there are enough.
    const first = await ask(t, roomId, { include: "participated", limit: 1 });
    const second = await ask(t, roomId, { include: "participated", limit: 1, from: first.next_batch });
    expect([...ids(first), ...ids(second)]).toEqual([joined, own]);
  });

  test("whose roots are not known, not visible, or no roots are left out", async () => {
    const t = await testParts();
    const roomId = await t.create("alice", { preset: "public_chat" });
    await t.setState(roomId, "alice", "m.room.history_visibility", { history_visibility: "joined" });
    const early = await t.send(roomId, "alice", {});
    await t.act(roomId, "join", "bob");
    await reply(t, roomId, early);
    await reply(t, roomId, "$unknown");
    const late = await t.send(roomId, "alice", {});
    const nested = await reply(t, roomId, late);
    await t.sendFreely(roomId, "bob", relating("m.thread", nested));
    expect(ids(await ask(t, roomId))).toEqual([late, early]);
    expect(ids(await ask(t, roomId, {}, "bob"))).toEqual([late]);
  });

  test("of a user who is ignored are shown without what they say", async () => {
    const { t, roomId } = await withRoom();
    const root = await t.send(roomId, "bob", { body: "x" });
    const latest = await reply(t, roomId, root, "alice");
    await reply(t, roomId, root, "bob");
    const { chunk } = await ask(t, roomId, {}, "alice", new Set([t.user("bob").userId]));
    expect(chunk).toMatchObject([
      {
        event_id: root,
        content: {},
        unsigned: { "m.relations": { "m.thread": { latest_event: { event_id: latest }, count: 1 } } },
      },
    ]);
    expect(chunk[0]?.content).toEqual({});
  });

  test("are not shown to who is outside, and not asked for with odd tokens", async () => {
    const { t, roomId } = await withRoom();
    expect(await refusal(ask(t, roomId, {}, "carol"))).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
    const invalid = { errcode: "M_INVALID_PARAM", status: 400 };
    expect(await refusal(ask(t, roomId, { from: "x" }))).toEqual(invalid);
    expect(await refusal(ask(t, roomId, { limit: 0 }))).toEqual(invalid);
  });
});

describe("when replies are redacted", () => {
  test("a thread goes back to where its latest one is, and away with its last", async () => {
    const { t, roomId, roots } = await withThreads(3);
    const [a, b, c] = roots as [string, string, string];
    const latest = await reply(t, roomId, a);
    expect(ids(await ask(t, roomId))).toEqual([a, c, b]);
    await t.redact(roomId, "bob", latest);
    expect(ids(await ask(t, roomId))).toEqual([c, b, a]);
    const only = relationsOf((await ask(t, roomId)).chunk[0]!)["m.thread"].latest_event.event_id;
    await t.redact(roomId, "bob", only);
    expect(ids(await ask(t, roomId))).toEqual([b, a]);
    // And that is what is written down.
    expect((await t.storage.getAll("threads")).map(({ root }) => root).sort()).toEqual([a, b].sort());
  });

  test("pages have each thread once, though all of them have moved", async () => {
    const { t, roomId, roots } = await withThreads(6);
    const latest: string[] = [];
    for (const root of roots) latest.push(await reply(t, roomId, root));
    for (const eventId of latest) await t.redact(roomId, "bob", eventId);
    const first = await ask(t, roomId, { limit: 2 });
    const second = await ask(t, roomId, { limit: 10, from: first.next_batch });
    expect([...ids(first), ...ids(second)]).toEqual([...roots].reverse());
  });

  test("a reply that comes in while a thread is put right is not lost sight of", async () => {
    const { t, roomId, roots } = await withThreads(2);
    const [a, b] = roots as [string, string];
    const latest = await reply(t, roomId, a);
    await t.redact(roomId, "bob", latest);
    const [, , last] = await Promise.all([ask(t, roomId), ask(t, roomId), reply(t, roomId, a)]);
    const { chunk } = await ask(t, roomId);
    expect(ids({ chunk })).toEqual([a, b]);
    expect(relationsOf(chunk[0]!)["m.thread"].latest_event.event_id).toBe(last);
  });

  test("other relations to the root stand in nobody's way", async () => {
    const { t, roomId, roots } = await withThreads(1);
    const latest = await reply(t, roomId, roots[0]!);
    const { room, nid, order } = (await t.events.byId(latest))!;
    await t.storage.commit((write) => {
      for (let i = 1; i <= 450; i++) {
        const key: [number, string, number] = [room, roots[0]!, -(order - i / 1_000)];
        write.put("relations", [nid, "m.annotation", "m.reaction", "@x:h"], key);
      }
    });
    await t.redact(roomId, "bob", latest);
    expect(ids(await ask(t, roomId))).toEqual(roots);
  });
});

describe("when history comes in", () => {
  const takeIn = (t: TestParts, roomId: string, order: number, content: JsonObject = {}) =>
    t.takeIn(roomId, { type: "m.room.message", sender: t.user("bob").userId, content }, { order });

  test("its threads are where their latest replies are", async () => {
    const { t, roomId, roots } = await withThreads(2);
    const [a, b] = roots as [string, string];
    const old = await takeIn(t, roomId, -5);
    const older = await takeIn(t, roomId, -9);
    await takeIn(t, roomId, -4, relating("m.thread", old));
    await takeIn(t, roomId, -8, relating("m.thread", older));
    // Earlier than the latest one that the thread has already.
    await takeIn(t, roomId, -3, relating("m.thread", a));
    expect(ids(await ask(t, roomId))).toEqual([b, a, old, older]);
    await takeIn(t, roomId, -2, relating("m.thread", older));
    expect(ids(await ask(t, roomId))).toEqual([b, a, older, old]);
    await reply(t, roomId, older);
    expect(ids(await ask(t, roomId))).toEqual([older, b, a, old]);
  });

  test("pages have each thread once, however many there are to be put right", async () => {
    const { t, roomId, roots } = await withThreads(1);
    const old: string[] = [];
    for (let i = 0; i < 30; i++) {
      const root = await takeIn(t, roomId, -1_000 + 2 * i);
      await takeIn(t, roomId, -999 + 2 * i, relating("m.thread", root));
      old.push(root);
    }
    const found: string[] = [];
    let from: string | undefined;
    do {
      const answer = await ask(t, roomId, { limit: 7, from });
      found.push(...ids(answer));
      from = answer.next_batch;
    } while (from !== undefined);
    expect(found).toEqual([...roots, ...old.reverse()]);
  });
});

function relationsOf({ unsigned }: { unsigned: JsonObject }) {
  return unsigned["m.relations"] as unknown as { "m.thread": { latest_event: { event_id: string } } };
}
