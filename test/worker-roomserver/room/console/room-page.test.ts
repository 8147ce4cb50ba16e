import fc from "fast-check";
import { expect, test } from "vitest";
import { ROOM_ORDERS, type RoomListing } from "../../../../src/worker-roomserver/room/console/api.ts";
import { roomPage } from "../../../../src/worker-roomserver/room/console/room-page.ts";

const listing = fc.record({
  room_id: fc.stringMatching(/^![a-z]{1,3}$/),
  name: fc.option(fc.string({ maxLength: 3, unit: "binary" }), { nil: undefined }),
  joined_members: fc.nat(3),
  events: fc.nat(3),
  last_ts: fc.nat(3),
});
const rooms = fc
  .uniqueArray(listing, { selector: ({ room_id }) => room_id, maxLength: 20 })
  .map((all) => all as unknown as RoomListing[]);
const order = fc.record({
  orderBy: fc.constantFrom(...ROOM_ORDERS),
  dir: fc.constantFrom("f" as const, "b" as const),
});

test("pages have every room once, in one order, whatever happens in others meanwhile", () => {
  fc.assert(
    fc.property(
      rooms,
      rooms,
      order,
      fc.integer({ min: 1, max: 4 }),
      (all, others, { orderBy, dir }, limit) => {
        const known = new Set(all.map(({ room_id }) => room_id));
        const coming = others.filter(({ room_id }) => !known.has(room_id));
        const found: RoomListing[] = [];
        let from: string | undefined;
        let present = all;
        do {
          const page = roomPage(present, { orderBy, dir, limit, from });
          expect(page.total).toBe(present.length);
          expect(page.rooms.length).toBeLessThanOrEqual(limit);
          found.push(...page.rooms);
          from = page.next_batch;
          present = [...coming.splice(0, 1), ...present];
        } while (from !== undefined);
        const ids = found.map(({ room_id }) => room_id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toEqual(expect.arrayContaining([...known]));
        const whole = roomPage(found, { orderBy, dir, limit: 500 });
        expect(whole.rooms).toEqual(found);
      },
    ),
  );
});

test("directions are opposite, and a search is for a part of name, alias or id", () => {
  const room = (room_id: string, name: string | undefined, events: number, canonical_alias?: string) =>
    ({ room_id, name, events, canonical_alias }) as RoomListing;
  const all = [room("!a", "Zoo", 3), room("!b", undefined, 1, "#alps:x"), room("!zoom", "garden", 2)];
  const ids = (query: object) =>
    roomPage(all, { orderBy: "name", dir: "f", limit: 10, ...query }).rooms.map(({ room_id }) => room_id);
  expect(ids({})).toEqual(["!b", "!zoom", "!a"]);
  expect(ids({ orderBy: "events" })).toEqual(["!b", "!zoom", "!a"]);
  expect(ids({ orderBy: "events", dir: "b" })).toEqual(["!a", "!zoom", "!b"]);
  expect(ids({ search: "ZOO" })).toEqual(["!zoom", "!a"]);
  expect(ids({ search: "alps" })).toEqual(["!b"]);
});

test.each(["", "%", "WzEsMl0", "bnVsbA", "WyJhIiwiIWEiXQ"])("%j is no place to go on from", (from) => {
  expect(() => roomPage([], { orderBy: "events", dir: "f", limit: 1, from })).toThrow(
    expect.objectContaining({ errcode: "M_INVALID_PARAM" }),
  );
});
