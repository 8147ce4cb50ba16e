import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { type GeneratedRoom, generatedRoom } from "../../../reference/arbitrary-room.ts";
import type { RefEvent } from "../../../reference/events.ts";
import { ReferenceRoom } from "../../../reference/room-model.ts";
import { type TestRooms, testRooms } from "../../support/room.ts";
import { logAfter } from "../../support/storage.ts";
import { type Delivery, deliver, delivery, diesAfter } from "./delivery.ts";
import { HostedRoom, referenceView } from "./hosted-room.ts";

const rooms = inject("roomRuns");

/** The order in which a server took them in. */
async function arrivalOf(server: TestRooms, events: readonly RefEvent[]): Promise<RefEvent[]> {
  const stored = await Promise.all(events.map(({ eventId }) => server.rooms.eventById(eventId)));
  const order = events.map((event, i) => ({ event, nid: stored[i]?.nid ?? 0 })).filter(({ nid }) => nid > 0);
  return order.sort((a, b) => a.nid - b.nid).map(({ event }) => event);
}

/** What readers of the log are told, in words. */
async function logOf({ storage, rooms: server }: TestRooms): Promise<string[]> {
  const entries = await logAfter(storage);
  return Promise.all(
    entries.map(async ({ topic, room, user, event }) => {
      const [about] = event === 0 ? [] : await server.events([event]);
      const texts = await Promise.all([room, user].map((nid) => (nid === 0 ? "" : storage.names.text(nid))));
      return [topic, ...texts, about?.eventId ?? ""].join(" ");
    }),
  );
}

/** Delivers all, to a second leader where the first one dies. @returns the last leader */
async function survive(room: GeneratedRoom, how: Delivery): Promise<TestRooms> {
  const first = await testRooms();
  const died = diesAfter(first.storage, how.diesAfter);
  const delivered = deliver(new HostedRoom(first.rooms, room), room.events, how);
  const isAlive = await Promise.race([delivered.then(() => true), died.then(() => false)]);
  if (isAlive) return first;
  const second = await testRooms(first.storage.name);
  // Whoever was not answered sends again.
  await deliver(new HostedRoom(second.rooms, room), room.events, how);
  return second;
}

test("whatever the order, the repetitions, the batches and a crash, a room is what the reference says", {
  timeout: 4000 * rooms + 60_000,
}, async () => {
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(generatedRoom, delivery, async (room, how) => {
      const server = await survive(room, how);
      if (server.storage.epoch > 1) crashes += 1;
      const arrival = await arrivalOf(server, room.events);
      expect(arrival.length).toBe(room.events.length);

      const reference = new ReferenceRoom(room.rules);
      for (const event of arrival) reference.receive(event);
      const hosted = new HostedRoom(server.rooms, room);
      expect(await hosted.view(room.events)).toEqual(referenceView(reference));

      // Readers of the log cannot tell it from a room that went the same way without trouble.
      const untroubled = await testRooms();
      const same = new HostedRoom(untroubled.rooms, room);
      for (const event of arrival) await same.receive([event]);
      expect(await logOf(server)).toEqual(await logOf(untroubled));
    }),
    { numRuns: rooms, endOnFailure: true },
  );
  // It was no comparison of nothing: of a hundred rooms, twenty to forty see one.
  if (rooms >= 100) expect(crashes).toBeGreaterThan(rooms / 10);
});
