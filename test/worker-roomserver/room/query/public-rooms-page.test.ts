import fc from "fast-check";
import { expect, test } from "vitest";
import type { PublishedRoom } from "../../../../src/matrix/room-summary.ts";
import {
  comparePlaces,
  type PublicRoomsPage,
  publicRoomsPage,
} from "../../../../src/worker-roomserver/room/query/public-rooms-page.ts";

const room = (id: number, members: number): PublishedRoom => ({
  room_id: `!${id}:h`,
  num_joined_members: members,
  world_readable: true,
  guest_can_join: false,
  join_rule: "public",
});
const ids = ({ chunk }: PublicRoomsPage) => chunk.map(({ room_id }) => room_id);

const someRooms = fc
  .uniqueArray(fc.tuple(fc.nat(60), fc.nat(4)), { selector: ([id]) => id, maxLength: 30 })
  .map((pairs) => pairs.map(([id, members]) => room(id, members)).sort(comparePlaces));

test("forward all rooms are shown once each, in order, and back again the same pages end to end", () => {
  fc.assert(
    fc.property(someRooms, fc.integer({ min: 1, max: 7 }), (rooms, limit) => {
      let page = publicRoomsPage(rooms, { limit });
      expect(page.prev_batch).toBeUndefined();
      const forward = [ids(page)];
      const backTokens: string[] = [];
      while (page.next_batch !== undefined) {
        page = publicRoomsPage(rooms, { limit, since: page.next_batch });
        expect(page.prev_batch).toBeDefined();
        backTokens.push(page.prev_batch!);
        forward.push(ids(page));
      }
      expect(forward.flat()).toEqual(rooms.map(({ room_id }) => room_id));
      for (const [i, since] of backTokens.entries()) {
        expect(ids(publicRoomsPage(rooms, { limit, since }))).toEqual(forward[i]);
      }
    }),
  );
});

test("whatever comes and goes meanwhile, who stays in place is shown once", () => {
  fc.assert(
    fc.property(
      someRooms,
      fc.infiniteStream(fc.nat(60)),
      fc.integer({ min: 1, max: 5 }),
      (start, ids_, limit) => {
        const stays = start.filter((_, i) => i % 2 === 0);
        const staying = new Set(stays.map(({ room_id }) => room_id));
        let rooms = start;
        const shown: string[] = [];
        let since: string | undefined;
        do {
          const page = publicRoomsPage(rooms, { limit, ...(since !== undefined && { since }) });
          shown.push(...ids(page).filter((id) => staying.has(id)));
          since = page.next_batch;
          const guest = room(100 + ids_.next().value!, ids_.next().value! % 5);
          rooms = [...stays, guest].sort(comparePlaces);
        } while (since !== undefined && shown.length <= start.length);
        expect(shown).toEqual(stays.map(({ room_id }) => room_id));
      },
    ),
  );
});

test("where nothing is left on the way on, there is a way back, and the other way round", () => {
  const rooms = [room(1, 3), room(2, 2), room(3, 1)];
  const { next_batch } = publicRoomsPage(rooms, { limit: 2 });
  const beyond = publicRoomsPage(rooms.slice(0, 2), { limit: 2, since: next_batch });
  expect(ids(beyond)).toEqual([]);
  expect(beyond.next_batch).toBeUndefined();
  expect(ids(publicRoomsPage(rooms, { limit: 9, since: beyond.prev_batch }))).toHaveLength(3);

  const { prev_batch } = publicRoomsPage(rooms, { limit: 2, since: next_batch });
  const before = publicRoomsPage(rooms.slice(2), { limit: 2, since: prev_batch });
  expect(ids(before)).toEqual([]);
  expect(before.prev_batch).toBeUndefined();
  expect(ids(publicRoomsPage(rooms, { limit: 9, since: before.next_batch }))).toHaveLength(3);
});

test("a page has a hundred rooms unless fewer are asked for", () => {
  const rooms = Array.from({ length: 120 }, (_, i) => room(i, 1)).sort(comparePlaces);
  expect(publicRoomsPage(rooms, {}).chunk).toHaveLength(100);
  expect(publicRoomsPage(rooms, { limit: 0 }).chunk).toHaveLength(100);
  expect(publicRoomsPage(rooms, { limit: 1_000 }).chunk).toHaveLength(100);
  expect(publicRoomsPage(rooms, { limit: 3 }).chunk).toHaveLength(3);
});

test.each([
  ["a token of another kind", { since: "h12" }],
  ["a token without a place", { since: "n" }],
  ["a token with half a number", { since: "n1.5_!a:h" }],
  ["less than no rooms", { limit: -1 }],
  ["half a room", { limit: 0.5 }],
])("%s is refused", (_, query) => {
  expect(() => publicRoomsPage([], query)).toThrow(
    expect.objectContaining({ errcode: "M_INVALID_PARAM", status: 400 }),
  );
});
