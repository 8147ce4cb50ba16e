import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { generatedRoom } from "../../../reference/arbitrary-room.ts";
import { ReferenceRoom } from "../../../reference/room-model.ts";
import { testRooms } from "../../support/room.ts";
import { HostedRoom, referenceView } from "./hosted-room.ts";

const rooms = 5 * inject("roomRuns");

test("a room is what the reference says, event by event", { timeout: 2000 * rooms + 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(generatedRoom, async (room) => {
      const { rooms: server } = await testRooms();
      const reference = new ReferenceRoom(room.rules);
      const hosted = new HostedRoom(server, room);
      for (const event of room.events) {
        const expected = reference.receive(event);
        const [verdict] = await hosted.receive([event]);
        expect(verdict?.outcome).toBe(expected.outcome);
      }
      expect(await hosted.view(room.events)).toEqual(referenceView(reference));
    }),
    { numRuns: rooms, endOnFailure: true },
  );
});
