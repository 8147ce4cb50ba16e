import fc from "fast-check";
import { expect, test } from "vitest";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { type TestRooms, testRooms } from "../support/room.ts";

type Step = { kind: "send" | "state" | "redact" | "fail" | "wait" | "restart"; room: number };

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom("send", "send", "send", "state", "redact", "fail", "wait", "restart"),
    room: fc.integer({ min: 0, max: 1 }),
  }),
  { maxLength: 25 },
);

/** A unit that the disk refuses takes all that is queued behind it along. */
const failAUnit = (storage: Storage) =>
  storage.commit((write) => write.put("filters", (() => undefined) as unknown as string, [1, "x"]));

/** What is stored hangs together: one line of events to a room, and the state rows agree with the snapshots. */
async function checkRooms(t: TestRooms, roomIds: string[]): Promise<void> {
  for (const roomId of roomIds) {
    const room = (await t.rooms.nid(roomId))!;
    const { events } = await t.rooms.timeline(room, { after: 0, upTo: t.storage.position, limit: 1_000 });
    for (const [i, event] of events.entries()) {
      const before = events[i - 1];
      expect(event.pdu.prev_events).toEqual(before === undefined ? [] : [before.eventId]);
      expect(event.pdu.depth).toBe(i + 1);
    }
    const states = new Map(
      events
        .filter(({ pdu }) => pdu.state_key !== undefined)
        .map((e) => [`${e.pdu.type}|${e.pdu.state_key}`, e.nid]),
    );
    const current = await t.rooms.stateOf(await t.rooms.snapshotAt(room, t.storage.position));
    expect(current.sort()).toEqual([...states.values()].sort());
    // No event is in the database that is not in its room's timeline.
    const rows = (await t.storage.getAll("events")).filter(({ r }) => r === room);
    expect(rows.map(({ id }) => id)).toEqual(events.map(({ eventId }) => eventId));
  }
}

test("property: whatever fails and whenever the node restarts, what was acknowledged is there once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      let t = await testRooms();
      const make = () => t.rooms.createRoom(t.request(), t.user("alice"), {});
      const roomIds = [(await make()).room_id, (await make()).room_id];
      const acknowledged: string[][] = [[], []];
      const pending: Promise<void>[] = [];
      /** Pairs of events of which the first was acknowledged before the second was asked for. */
      const inTurn: [earlier: string, later: string][] = [];
      const note = (room: number, sent: Promise<{ event_id: string }>) => {
        const earlier = [...acknowledged[room]!];
        pending.push(
          sent.then(
            ({ event_id: later }) => {
              for (const one of earlier) inTurn.push([one, later]);
              acknowledged[room]!.push(later);
            },
            (error: { status?: number }) => expect(error.status).toBe(500),
          ),
        );
      };
      for (const [i, { kind, room }] of script.entries()) {
        const roomId = roomIds[room]!;
        const user = t.user("alice");
        if (kind === "send")
          note(room, t.rooms.sendEvent(user, { roomId, type: "m.x", txnId: `${i}`, content: { i } }));
        if (kind === "state") {
          const state = { roomId, type: "m.y", stateKey: `${i % 3}`, content: { i } };
          note(room, t.rooms.setState(t.request(), user, state));
        }
        if (kind === "redact" && acknowledged[room]!.length > 0) {
          const eventId = acknowledged[room]!.at(-1)!;
          note(room, t.rooms.redact(user, { roomId, eventId, txnId: `${i}`, content: {} }));
        }
        if (kind === "fail")
          pending.push(
            failAUnit(t.storage).then(
              () => undefined,
              () => undefined,
            ),
          );
        if (kind === "wait") await t.storage.flushed();
        if (kind === "restart") {
          await Promise.all(pending);
          t = await testRooms(t.storage.name);
        }
      }
      await Promise.all(pending);
      for (const eventId of acknowledged.flat()) expect(await t.rooms.eventById(eventId)).toBeDefined();
      const again = await testRooms(t.storage.name);
      await checkRooms(again, roomIds);
      for (const [room, eventIds] of acknowledged.entries()) {
        const nid = (await again.rooms.nid(roomIds[room]!))!;
        const { events } = await again.rooms.timeline(nid, {
          after: 0,
          upTo: again.storage.position,
          limit: 1_000,
        });
        const stored = events.map(({ eventId }) => eventId).filter((id) => eventIds.includes(id));
        // Of what is under way together, any may come first.
        expect(stored.sort()).toEqual([...new Set(eventIds)].sort());
        const places = new Map(events.map(({ eventId }, place) => [eventId, place]));
        for (const [earlier, later] of inTurn) {
          if (places.has(earlier)) expect(places.get(earlier)).toBeLessThan(places.get(later)!);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("an event that is stored is found by its id, though what was to redact it has failed", async () => {
  const t = await testRooms();
  const alice = t.user("alice");
  const { room_id: roomId } = await t.rooms.createRoom(t.request(), alice, {});
  const send = (txnId: string) =>
    t.rooms.sendEvent(alice, { roomId, type: "m.x", txnId, content: { body: txnId } });
  const { event_id: eventId } = await send("m1");
  const failed = Promise.allSettled([
    failAUnit(t.storage),
    t.rooms.redact(alice, { roomId, eventId, txnId: "m2", content: {} }),
  ]);
  expect((await failed).map(({ status }) => status)).toContain("rejected");
  const found = await t.rooms.eventById(eventId);
  expect(found?.pdu.content).toEqual(found?.redactedBy === "" ? { body: "m1" } : {});
});
