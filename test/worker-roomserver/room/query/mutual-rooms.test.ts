import { expect, test } from "vitest";
import type { MembershipInfo } from "../../../../src/worker-roomserver/room/api.ts";
import type { RoomParts } from "../../../../src/worker-roomserver/room/parts.ts";
import { mutualRooms, mutualRoomsPage } from "../../../../src/worker-roomserver/room/query/mutual-rooms.ts";
import { requester } from "../../support/requester.ts";

/** Parts in which both users are joined to rooms of these numbers. */
function partsWith(rooms: number[]): RoomParts {
  const infos = new Map(
    rooms.map((room) => [room, { room, roomId: `!${String(room).padStart(5, "0")}:h`, membership: "join" }]),
  ) as unknown as Map<number, MembershipInfo>;
  return {
    storage: { settled: () => Promise.resolve() },
    memberships: { of: () => Promise.resolve(infos) },
  } as unknown as RoomParts;
}

test("pages follow from one another, though rooms come and go in between", async () => {
  const alice = requester("alice");
  const numbers = Array.from({ length: 2 * mutualRoomsPage + 1 }, (_, i) => 10 * (i + 1));
  const first = await mutualRooms(partsWith(numbers), alice, "@bob:h", undefined);
  expect(first.joined).toHaveLength(mutualRoomsPage);
  expect(first.count).toBe(numbers.length);
  // One of the first page is left, and one is entered that would stand there.
  const meanwhile = [5, ...numbers.slice(1)];
  const second = await mutualRooms(partsWith(meanwhile), alice, "@bob:h", first.next_batch);
  const third = await mutualRooms(partsWith(meanwhile), alice, "@bob:h", second.next_batch);
  expect(third).not.toHaveProperty("next_batch");
  const seen = [...first.joined, ...second.joined, ...third.joined];
  expect(seen).toEqual(numbers.map((room) => `!${String(room).padStart(5, "0")}:h`));
});
