import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RelationsQuery } from "../../../../src/worker-roomserver/room/api.ts";
import { relations } from "../../../../src/worker-roomserver/room/query/relations.ts";
import type { Write } from "../../../../src/worker-roomserver/storage/api.ts";
import { refusal } from "../../support/requester.ts";
import { page, relating, type TestParts, testParts } from "../../support/room-parts.ts";

type Where = { roomId: string; eventId: string };

const ask = async (
  t: TestParts,
  { roomId, eventId }: Where,
  query: Partial<RelationsQuery> = {},
  who = "alice",
  ignored?: ReadonlySet<string>,
) => page(await relations(t, t.user(who), roomId, eventId, { dir: "b", limit: 100, ...query }, ignored));

const ids = ({ chunk }: { chunk: { event_id: string }[] }) => chunk.map(({ event_id }) => event_id);

/** All pages one after the other, and how many there were. */
async function turn(
  t: TestParts,
  where: Where,
  query: Partial<RelationsQuery>,
  between: () => Promise<unknown> = () => Promise.resolve(),
): Promise<{ found: string[]; pages: number }> {
  const found: string[] = [];
  let from: string | undefined;
  for (let pages = 1; ; pages++) {
    const answer = await ask(t, where, { ...query, from });
    expect(answer.chunk.length).toBeLessThanOrEqual(query.limit ?? 100);
    expect(answer.prev_batch).toBe(from);
    found.push(...ids(answer));
    if (answer.next_batch === undefined) return { found, pages };
    from = answer.next_batch;
    await between();
  }
}

async function withParent(): Promise<{ t: TestParts; where: Where }> {
  const t = await testParts();
  const roomId = await t.create("alice", { preset: "public_chat" });
  return { t, where: { roomId, eventId: await t.send(roomId, "alice", { body: "parent" }) } };
}

/** Relations of events that are there, without the events of their own that would take so long to send. */
async function relateMany(t: TestParts, { roomId, eventId }: Where, count: number, to = eventId) {
  const { room, nid } = (await t.events.byId(eventId))!;
  const { order } = (await t.events.byId(await t.send(roomId, "alice", { body: "last" })))!;
  await t.storage.commit((write: Write) => {
    for (let i = 0; i < count; i++) {
      write.put(
        "relations",
        [nid, "m.annotation", "m.reaction", "@x:h"],
        [room, to, -(order - (i + 1) / (count + 1))],
      );
    }
  });
}

describe("relations", () => {
  test("are those of the event, of a type, of a type and an event type, the newest first", async () => {
    const { t, where } = await withParent();
    const { roomId, eventId } = where;
    const reply = await t.send(roomId, "alice", relating("m.thread", eventId));
    const sticker = await t.send(roomId, "alice", relating("m.thread", eventId), "m.sticker");
    const reaction = await t.send(roomId, "alice", relating("m.annotation", eventId), "m.reaction");
    await t.sendFreely(roomId, "alice", relating("m.thread", reply));
    await t.send(roomId, "alice", { "m.relates_to": { "m.in_reply_to": { event_id: eventId } } });
    expect(ids(await ask(t, where))).toEqual([reaction, sticker, reply]);
    expect(ids(await ask(t, where, { dir: "f" }))).toEqual([reply, sticker, reaction]);
    expect(ids(await ask(t, where, { relType: "m.thread" }))).toEqual([sticker, reply]);
    expect(ids(await ask(t, where, { relType: "m.thread", eventType: "m.sticker" }))).toEqual([sticker]);
    expect(await ask(t, where, { relType: "m.replace" })).toEqual({ chunk: [] });
  });

  test("are told in full, with what is summed up about each", async () => {
    const { t, where } = await withParent();
    const reply = await t.send(where.roomId, "alice", relating("m.thread", where.eventId, { body: "a" }));
    const content = relating("m.replace", reply, { "m.new_content": { body: "b" } });
    const edit = await t.send(where.roomId, "alice", content);
    const { chunk } = await ask(t, where);
    expect(chunk).toMatchObject([
      {
        event_id: reply,
        room_id: where.roomId,
        unsigned: { "m.relations": { "m.replace": { event_id: edit, content, room_id: where.roomId } } },
      },
    ]);
  });

  test("stay where they are while others come and go", async () => {
    const { t, where } = await withParent();
    const sent: string[] = [];
    for (let i = 0; i < 7; i++) {
      sent.push(await t.send(where.roomId, "alice", relating("m.x", where.eventId)));
    }
    const newer = () => t.send(where.roomId, "alice", relating("m.x", where.eventId));
    const back = await turn(t, where, { limit: 3 }, newer);
    expect(back).toEqual({ found: [...sent].reverse(), pages: 3 });

    const first = await ask(t, where, { limit: 3, dir: "f" });
    // The next page would begin with the fourth, and the token names the third.
    await t.redact(where.roomId, "alice", sent[2]!);
    await t.redact(where.roomId, "alice", sent[3]!);
    const second = await ask(t, where, { limit: 3, dir: "f", from: first.next_batch });
    expect([ids(first), ids(second)]).toEqual([sent.slice(0, 3), sent.slice(4, 7)]);
  });

  test("go on from a page in the other direction, and end at `to`", async () => {
    const { t, where } = await withParent();
    const sent: string[] = [];
    for (let i = 0; i < 6; i++) {
      sent.push(await t.send(where.roomId, "alice", relating("m.x", where.eventId)));
    }
    const first = await ask(t, where, { limit: 2 });
    const second = await ask(t, where, { limit: 2, from: first.next_batch });
    expect(ids(await ask(t, where, { dir: "f", from: second.prev_batch }))).toEqual(sent.slice(4));
    expect(ids(await ask(t, where, { to: second.next_batch }))).toEqual(sent.slice(2).reverse());
    expect(ids(await ask(t, where, { dir: "f", to: second.next_batch }))).toEqual(sent.slice(0, 2));
    // "Passing a `from` token from page 2 and a `to` token from page 1 would return the empty set."
    expect(await ask(t, where, { from: second.next_batch, to: first.next_batch })).toMatchObject({
      chunk: [],
    });
  });

  test("are no more once redacted, and stay when the parent is", async () => {
    const { t, where } = await withParent();
    const one = await t.send(where.roomId, "alice", relating("m.x", where.eventId));
    const other = await t.send(where.roomId, "alice", relating("m.x", where.eventId));
    await t.redact(where.roomId, "alice", other);
    await t.redact(where.roomId, "alice", where.eventId);
    expect(ids(await ask(t, where))).toEqual([one]);
  });

  test("of ignored users are left out", async () => {
    const { t, where } = await withParent();
    await t.act(where.roomId, "join", "bob");
    const own = await t.send(where.roomId, "alice", relating("m.x", where.eventId));
    await t.send(where.roomId, "bob", relating("m.x", where.eventId));
    const ignored = new Set([t.user("bob").userId]);
    expect(ids(await ask(t, where, {}, "alice", ignored))).toEqual([own]);
  });

  test("that the user may not see are left out, and the parent that they may not see is not there", async () => {
    const t = await testParts();
    const roomId = await t.create("alice", { preset: "public_chat" });
    await t.setState(roomId, "alice", "m.room.history_visibility", { history_visibility: "joined" });
    const eventId = await t.send(roomId, "alice", {});
    const where = { roomId, eventId };
    await t.act(roomId, "join", "bob");
    const shared = await t.send(roomId, "alice", {});
    await t.send(roomId, "alice", relating("m.x", shared));
    await t.act(roomId, "leave", "bob");
    await t.send(roomId, "alice", relating("m.x", shared));
    expect((await ask(t, { roomId, eventId: shared }, {}, "bob")).chunk).toHaveLength(1);
    expect((await ask(t, { roomId, eventId: shared }, {}, "alice")).chunk).toHaveLength(2);
    const missing = { errcode: "M_NOT_FOUND", status: 404 };
    expect(await refusal(ask(t, where, {}, "bob"))).toEqual(missing);
    expect(await refusal(ask(t, { roomId, eventId: "$nothing" }))).toEqual(missing);
    const elsewhere = await t.create("alice");
    expect(await refusal(ask(t, { roomId: elsewhere, eventId: shared }))).toEqual(missing);
    expect(await refusal(ask(t, where, {}, "carol"))).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
  });

  test("are not asked for with tokens that nobody gave out, or for none at all", async () => {
    const { t, where } = await withParent();
    const invalid = { errcode: "M_INVALID_PARAM", status: 400 };
    expect(await refusal(ask(t, where, { from: "x" }))).toEqual(invalid);
    expect(await refusal(ask(t, where, { to: "h" }))).toEqual(invalid);
    expect(await refusal(ask(t, where, { limit: 0 }))).toEqual(invalid);
  });

  test("that a filter hides are passed over, a part of them in one answer", async () => {
    const { t, where } = await withParent();
    const rare = await t.send(where.roomId, "alice", relating("m.rare", where.eventId));
    await relateMany(t, where, 4_500);
    const { found, pages } = await turn(t, where, { relType: "m.rare", limit: 5 });
    expect(found).toEqual([rare]);
    expect(pages).toBe(3);
    expect((await turn(t, where, { relType: "m.rare", limit: 5, dir: "f" })).found).toEqual([rare]);
  });
});

describe("relations of relations", () => {
  test("are followed if that is asked for, and the answer says how far", async () => {
    const { t, where } = await withParent();
    const chain = [where.eventId];
    for (let i = 0; i < 6; i++) chain.push(await t.send(where.roomId, "alice", relating("m.x", chain[i]!)));
    expect(await ask(t, where, { recurse: true })).toMatchObject({ recursion_depth: 3 });
    expect(ids(await ask(t, where, { recurse: true }))).toEqual(chain.slice(1, 5).reverse());
    const direct = await ask(t, where, { recurse: false });
    expect([ids(direct), direct.recursion_depth]).toEqual([[chain[1]], 0]);
    expect(await ask(t, where)).not.toHaveProperty("recursion_depth");
  });

  test("are not reached through what the filter leaves out", async () => {
    const { t, where } = await withParent();
    const reply = await t.send(where.roomId, "alice", relating("m.thread", where.eventId));
    await t.send(where.roomId, "alice", relating("m.annotation", reply));
    const direct = await t.send(where.roomId, "alice", relating("m.annotation", where.eventId));
    const second = await t.send(where.roomId, "alice", relating("m.annotation", direct));
    const query = { recurse: true, relType: "m.annotation" };
    expect(ids(await ask(t, where, query))).toEqual([second, direct]);
  });

  test("that go in a circle are each told once", async () => {
    const { t, where } = await withParent();
    const { roomId, eventId } = where;
    const one = await t.send(roomId, "alice", relating("m.x", eventId));
    const other = await t.send(roomId, "alice", relating("m.x", one));
    const { room, nid, order } = (await t.events.byId(eventId))!;
    // As it can be in room versions 1 and 2, where servers make the ids up.
    await t.storage.commit((write) => {
      write.put("relations", [nid, "m.x", "m.room.message", "@x:h"], [room, other, -order]);
    });
    for (const dir of ["b", "f"] as const) {
      const { found } = await turn(t, where, { recurse: true, limit: 1, dir });
      expect(found.sort()).toEqual([one, other].sort());
    }
  });

  test("cost what they cost, however many there are", async () => {
    const { t, where } = await withParent();
    const reply = await t.send(where.roomId, "alice", relating("m.thread", where.eventId));
    await relateMany(t, where, 6_000, reply);
    const late = await t.send(where.roomId, "alice", relating("m.thread", where.eventId));
    const answer = await ask(t, where, { recurse: true, limit: 2 });
    expect(ids(answer)[0]).toBe(late);
    expect(answer.next_batch).toBeDefined();
  });

  test("property: pages of any size, either way, have all of a tree in the order of the timeline", async () => {
    const { t, where } = await withParent();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (shape, limit) => {
          const root = await t.send(where.roomId, "alice", {});
          const nodes = [{ id: root, depth: 0 }];
          for (const pick of shape) {
            const parent = nodes[pick % nodes.length]!;
            const id = await t.send(where.roomId, "alice", relating("m.x", parent.id));
            nodes.push({ id, depth: parent.depth + 1 });
          }
          const reached = nodes.filter(({ depth }) => depth > 0 && depth <= 4).map(({ id }) => id);
          const tree = { roomId: where.roomId, eventId: root };
          const forward = await turn(t, tree, { recurse: true, limit, dir: "f" });
          const back = await turn(t, tree, { recurse: true, limit });
          expect(forward.found).toEqual(reached);
          expect(back.found).toEqual(reached.reverse());
        },
      ),
      { numRuns: 25 },
    );
  });
});
