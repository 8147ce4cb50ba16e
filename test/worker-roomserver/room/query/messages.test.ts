import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { context, messages } from "../../../../src/worker-roomserver/room/query/messages.ts";
import { json } from "../../support/room.ts";
import { type TestParts, testParts } from "../../support/room-parts.ts";
import type { TestStorage } from "../../support/storage.ts";

type Event = { event_id: string; type: string; sender: string; state_key?: string; content: JsonObject };
type Page = { chunk: Event[]; state: Event[]; start: string; end?: string };
type Context = { event: Event; events_before: Event[]; events_after: Event[]; state: Event[] };

const nobody: ReadonlySet<string> = new Set();

async function page(t: TestParts, roomId: string, query: object, ignored = nobody): Promise<Page> {
  const asked = { dir: "b" as const, limit: 10, filter: {}, ...query };
  return json(await messages(t, t.user("alice"), roomId, asked, ignored)) as unknown as Page;
}

/** A room of alice and bob. */
async function withBob() {
  const t = await testParts();
  const roomId = await t.create("alice", { preset: "public_chat" });
  await t.act(roomId, "join", "bob");
  return { t, roomId };
}

const ordersOf = async (t: TestParts, ids: readonly string[]) =>
  (await t.events.byIds(ids)).map((event) => event!.order);

test("property: pages hold what was there once, in its order, whatever is written meanwhile", async () => {
  const write = fc.record({
    who: fc.constantFrom("alice", "bob"),
    type: fc.constantFrom("m.room.message", "m.sticker"),
    /** Live, or history that comes later: as a share of the timeline. */
    place: fc.option(fc.double({ min: 0.01, max: 0.99, noNaN: true })),
  });
  const writes = fc.array(write, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { maxLength: 15 }),
      fc.array(writes, { minLength: 1, maxLength: 5 }),
      fc.constantFrom("b" as const, "f" as const),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      fc.boolean(),
      async (before, during, dir, limit, isFiltered, isIgnoring) => {
        const { t, roomId } = await withBob();
        const ignored = isIgnoring ? new Set([t.user("bob").userId]) : nobody;
        const filter = isFiltered ? { not_types: ["m.sticker"] } : {};
        const passes = ({ type, sender, state_key }: Event) =>
          !(isFiltered && type === "m.sticker") && !(state_key === undefined && ignored.has(sender));
        let taken = 0;
        const make = async ({ who, type, place }: { who: string; type: string; place: number | null }) => {
          if (place === null) return t.send(roomId, who, { body: "x" }, type);
          // No two events have one place.
          taken += 1;
          const order = Math.ceil(place * t.storage.position) - 0.5 + taken * 2 ** -20;
          return t.takeIn(roomId, { sender: t.user(who).userId, type }, { order });
        };
        for (const one of before) await make(one);
        const all = await page(t, roomId, { limit: 100 });
        const there = all.chunk.filter(passes).map(({ event_id }) => event_id);

        const seen: string[] = [];
        let from: string | undefined = dir === "b" ? all.start : undefined;
        for (let turn = 0; ; turn++) {
          const answer: Page = await page(t, roomId, { dir, limit, from, filter }, ignored);
          expect(answer.chunk.length).toBeLessThanOrEqual(limit);
          expect(answer.chunk.every(passes)).toBe(true);
          seen.push(...answer.chunk.map(({ event_id }) => event_id));
          from = answer.end;
          if (from === undefined) break;
          for (const one of during[turn] ?? []) await make(one);
        }
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter((eventId) => there.includes(eventId))).toEqual(
          dir === "b" ? there : there.reverse(),
        );
        const orders = await ordersOf(t, seen);
        expect(orders).toEqual(orders.toSorted((a, b) => (dir === "b" ? b - a : a - b)));
      },
    ),
    { numRuns: 25 },
  );
});

describe("with lazily loaded members", () => {
  const filter = { lazy_load_members: true };
  const members = (state: Event[]) => state.filter(({ type }) => type === "m.room.member");

  test("a page has the senders' member events, and no other state", async () => {
    const { t, roomId } = await withBob();
    await t.act(roomId, "join", "carol");
    await t.send(roomId, "bob", { body: "x" });
    const { state } = await page(t, roomId, { limit: 1, filter });
    expect(state.map(({ state_key }) => state_key)).toEqual([t.user("bob").userId]);
    expect((await page(t, roomId, { limit: 1 })).state).toEqual([]);
  });

  test("a context has those of its events beside the rest of the state, as far as the filter wants it", async () => {
    const { t, roomId } = await withBob();
    await t.act(roomId, "join", "carol");
    const eventId = await t.send(roomId, "bob", { body: "x" });
    await t.send(roomId, "bob", { body: "y" });
    const ask = async (more: object) =>
      json(
        await context(t, t.user("alice"), roomId, eventId, { limit: 1, filter: { ...filter, ...more } }),
      ) as unknown as Context;
    const { state, event, events_after } = await ask({});
    expect(event.event_id).toBe(eventId);
    expect(events_after).toHaveLength(1);
    expect(members(state).map(({ state_key }) => state_key)).toEqual([t.user("bob").userId]);
    expect(state.some(({ type }) => type === "m.room.create")).toBe(true);
    const few = await ask({ types: ["m.room.create"] });
    expect(few.state.map(({ type }) => type)).toEqual(["m.room.create"]);
  });
});

test("what an ignored user said is left out around an event, which itself is there", async () => {
  const { t, roomId } = await withBob();
  const eventId = await t.send(roomId, "bob", { body: "1" });
  await t.send(roomId, "bob", { body: "2" });
  const after = await t.send(roomId, "alice", { body: "3" });
  const ignored = new Set([t.user("bob").userId]);
  const query = { limit: 6, filter: {} };
  const around = json(
    await context(t, t.user("alice"), roomId, eventId, query, ignored),
  ) as unknown as Context;
  expect(around.event.event_id).toBe(eventId);
  expect(around.events_after.map(({ event_id }) => event_id)).toEqual([after]);
  // His join is state, which everybody gets.
  expect(around.events_before[0]).toMatchObject({ type: "m.room.member", sender: t.user("bob").userId });
});

describe("a room's newest page, of a homeserver that has just opened", () => {
  async function opened() {
    const before = await withBob();
    for (let i = 0; i < 30; i++) await before.t.send(before.roomId, "alice", { body: `${i}` });
    await before.t.storage.flushed();
    const t = await testParts((before.t.storage as TestStorage).name);
    return { t, roomId: before.roomId };
  }
  const bodies = ({ chunk }: Page) => chunk.map(({ content }) => content.body);

  test("is read from the disk once", async () => {
    const { t, roomId } = await opened();
    const first = await page(t, roomId, { limit: 20 });
    expect(bodies(first)).toEqual(Array.from({ length: 20 }, (_, i) => `${29 - i}`));
    const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
    try {
      expect(await page(t, roomId, { limit: 20 })).toEqual(first);
      expect(transactions).not.toHaveBeenCalled();
      await page(t, roomId, { limit: 20, from: first.end });
      expect(transactions).toHaveBeenCalled();
    } finally {
      transactions.mockRestore();
    }
  });

  test("has what was sent, redacted and put in between since it was read", async () => {
    const { t, roomId } = await opened();
    const first = await page(t, roomId, { limit: 20 });
    await t.redact(roomId, "alice", first.chunk[1]!.event_id);
    const [second] = await ordersOf(t, [first.chunk[2]!.event_id]);
    await t.takeIn(
      roomId,
      { sender: t.user("bob").userId, type: "m.room.message", content: { body: "between" } },
      { order: second! + 2 ** -20 },
    );
    await t.send(roomId, "alice", { body: "new" });
    const then = await page(t, roomId, { limit: 7 });
    expect(bodies(then)).toEqual(["new", undefined, "29", undefined, "between", "27", "26"]);
  });
});
