import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { generatedRoom } from "../../reference/arbitrary-room.ts";
import { HostedRoom } from "../room/input/hosted-room.ts";
import { logAfter } from "../support/storage.ts";
import { SyncClient } from "./support/client.ts";
import { type TestSync, testSync } from "./support/sync.ts";

const rooms = inject("roomRuns");

/** The room's state as a client should have it: type and state key to event id. */
async function currentState(t: TestSync, roomId: string, position: number): Promise<Map<string, string>> {
  const snapshot = await t.rooms.snapshotAt(await t.nid(roomId), position);
  const events = await t.rooms.events(await t.rooms.stateOf(snapshot));
  return new Map(events.map(({ pdu, eventId }) => [`${pdu.type}|${pdu.state_key}`, eventId]));
}

/**
 * Keys of which the event that was shown last is not the state, as another branch had the last word. Who follows the
 * state through the timeline takes it for the state where both came in one answer: only `state_after` can say otherwise.
 */
async function misleadingKeys(t: TestSync, roomId: string): Promise<Set<string>> {
  const { events } = await t.rooms.timeline(await t.nid(roomId), { after: 0, upTo: 1e9, limit: 1_000 });
  const current = await currentState(t, roomId, t.storage.position);
  const last = new Map(events.map(({ pdu, eventId }) => [`${pdu.type}|${pdu.state_key}`, eventId]));
  return new Set([...last.keys()].filter((key) => last.get(key) !== current.get(key)));
}

test("a client of any member knows the state of a room that other servers pull about, whenever it asks", {
  timeout: 4000 * rooms + 60_000,
}, async () => {
  let forked = 0;
  const stops = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(generatedRoom, stops, fc.boolean(), async (room, pauses, after) => {
      // The room's second user, and every user of that server, is from here.
      const t = await testSync(undefined, "s1.example");
      const hosted = new HostedRoom(t.rooms, room);
      const client = new SyncClient();
      const ask = async () => {
        const since = client.since === undefined ? {} : { since: client.since };
        const stateSection = after ? ("state_after" as const) : ("state" as const);
        client.apply(await t.poll("u1", { ...since, stateSection }));
      };
      let pause = 0;
      for (const [i, event] of room.arrivals[0]!.entries()) {
        await hosted.receive([event]);
        if (pause-- > 0) continue;
        pause = pauses[i % pauses.length]!;
        await ask();
      }
      await ask();

      const info = await t.rooms.membershipOf(t.id("u1"), await t.nid(room.roomId));
      const shown = client.rooms.get(room.roomId);
      if (info?.membership !== "join") {
        expect(shown?.membership ?? "leave").not.toBe("join");
        return;
      }
      expect(shown?.membership).toBe("join");
      const expected = await currentState(t, room.roomId, t.storage.position);
      if (!after) for (const key of await misleadingKeys(t, room.roomId)) expected.delete(key);
      const known = new Map([...shown!.state].filter(([key]) => expected.has(key)));
      expect(known).toEqual(expected);
      const log = await logAfter(t.storage, 0);
      if (log.some(({ topic }) => topic === "state")) forked += 1;
    }),
    { numRuns: rooms, endOnFailure: true },
  );
  if (rooms >= 100) expect(forked).toBeGreaterThan(rooms / 20);
});
