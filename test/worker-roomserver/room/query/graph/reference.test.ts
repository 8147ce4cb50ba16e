import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { type GeneratedRoom, generatedRoom } from "../../../../reference/arbitrary-room.ts";
import { type RefState, stateKey } from "../../../../reference/events.ts";
import { ReferenceRoom } from "../../../../reference/room-model.ts";
import { testRooms } from "../../../support/room.ts";
import { asking, takeIn } from "./asked-room.ts";

// Each is a room server of its own, asked about every event.
const rooms = Math.ceil(inject("roomRuns") / 10);

/** Asks about generated rooms that a room server and the reference have both taken in. */
function property(
  what: string,
  holds: (
    ask: Awaited<ReturnType<typeof asking>>["ask"],
    reference: ReferenceRoom,
    room: GeneratedRoom,
  ) => Promise<void>,
) {
  test(what, { timeout: 4_000 * rooms }, async () => {
    await fc.assert(
      fc.asyncProperty(generatedRoom, async (room) => {
        const t = await testRooms();
        const reference = new ReferenceRoom(room.rules);
        for (const event of room.events) reference.receive(event);
        await takeIn(t, room.roomId, room.events);
        await holds((await asking(t)).ask, reference, room);
      }),
      { numRuns: rooms },
    );
  });
}

const sorted = (ids: Iterable<string>) => [...ids].sort();
const idsOf = (events: readonly { eventId: string }[]) => sorted(events.map(({ eventId }) => eventId));
const statesAt = (
  reference: ReferenceRoom,
  eventId: string,
): [when: "before" | "after", state: RefState][] => [
  ["before", reference.stateBefore(eventId)],
  ["after", reference.stateAfter(eventId)],
];

property("the state before and after each event, whole and in part", async (ask, reference, room) => {
  for (const { eventId } of reference.events()) {
    for (const [when, expected] of statesAt(reference, eventId)) {
      expect(idsOf(await ask.stateAt(room.roomId, eventId, { when }))).toEqual(sorted(expected.values()));
      const members = await ask.stateAt(room.roomId, eventId, { when, keys: [["m.room.member"]] });
      expect(idsOf(members)).toEqual(
        sorted([...expected].filter(([key]) => key.startsWith('["m.room.member"')).map(([, id]) => id)),
      );
      const topic = await ask.stateAt(room.roomId, eventId, { when, keys: [["m.room.topic", ""]] });
      expect(topic[0]?.eventId).toBe(expected.get(stateKey("m.room.topic", "")));
    }
  }
});

property("memberships before and after each event", async (ask, reference, room) => {
  const users = new Set(room.events.map(({ pdu }) => pdu.sender));
  for (const { eventId } of reference.events().slice(-10)) {
    for (const user of users) {
      const [before, after] = statesAt(reference, eventId).map(([, state]) => {
        const id = state.get(stateKey("m.room.member", user));
        return id === undefined ? "leave" : reference.event(id).pdu.content.membership;
      });
      expect(await ask.membershipAt(room.roomId, eventId, user)).toEqual({ before, after });
    }
  }
});

property("auth chains, of events and of states", async (ask, reference, room) => {
  const create = room.events[0]!.eventId;
  const chainOf = (ids: Iterable<string>) => {
    const chain = new Set<string>();
    const add = (from: string) => {
      const { auth } = reference.event(from);
      for (const id of room.rules.roomIdIsCreateHash && from !== create ? [...auth, create] : auth) {
        if (chain.has(id)) continue;
        chain.add(id);
        add(id);
      }
    };
    for (const id of ids) add(id);
    return sorted(chain);
  };
  for (const { eventId } of reference.events()) {
    const chain = await ask.authChain(room.roomId, [eventId]);
    expect(idsOf(chain)).toEqual(chainOf([eventId]));
    const state = [...reference.stateBefore(eventId).values()];
    const { pduIds, authChainIds } = await ask.stateIdsAt(room.roomId, eventId);
    expect(sorted(pduIds)).toEqual(sorted(state));
    expect(sorted(authChainIds)).toEqual(chainOf(state));
  }
  const all = reference.events().map(({ eventId }) => eventId);
  const chain = await ask.authChain(room.roomId, all);
  expect(idsOf(chain)).toEqual(chainOf(all));
  const places = new Map(chain.map(({ eventId }, place) => [eventId, place]));
  for (const [id, place] of places) {
    for (const cited of reference.event(id).auth) expect(places.get(cited)).toBeLessThan(place);
  }
});

property("what an event is built upon", async (ask, reference, room) => {
  const front = await ask.latest(room.roomId, [
    ["m.room.create", ""],
    ["m.room.topic", ""],
  ]);
  expect(front.roomVersion).toBe(room.version);
  expect(idsOf(front.extremities)).toEqual(sorted(reference.extremities()));
  expect(front.depth).toBe(Math.max(...front.extremities.map(({ pdu }) => pdu.depth)));
  const entries = [stateKey("m.room.create", ""), stateKey("m.room.topic", "")];
  expect(front.state.map(({ eventId }) => eventId)).toEqual(
    entries.map((key) => reference.currentState().get(key)).filter((id) => id !== undefined),
  );
});

property("what comes before an event: to its first ancestors, each once", async (ask, reference, room) => {
  const ancestorsOf = (ids: readonly string[], without: ReadonlySet<string>) => {
    const found = new Set<string>();
    const add = (from: string) => {
      for (const id of reference.event(from).prev) {
        if (found.has(id) || without.has(id)) continue;
        found.add(id);
        add(id);
      }
    };
    for (const id of ids) add(id);
    return found;
  };
  const isRejected = (id: string) => reference.verdict(id).outcome === "rejected";
  const withoutRejected = (ids: Iterable<string>) => sorted([...ids].filter((id) => !isRejected(id)));
  const latest = [...reference.extremities()];
  const earliest = room.events.slice(3, 5).map(({ eventId }) => eventId);

  const filled = await ask.backfill(room.roomId, { from: latest, limit: 100 });
  expect(idsOf(filled)).toEqual(withoutRejected(new Set([...latest, ...ancestorsOf(latest, new Set())])));
  const depths = filled.map(({ pdu }) => pdu.depth);
  expect(depths).toEqual(depths.toSorted((a, b) => b - a));

  const ancestors = ancestorsOf(latest, new Set(earliest));
  const query = { earliest, latest, limit: 20, minDepth: 0 };
  const missing = await ask.missingEvents(room.roomId, query);
  const expected = withoutRejected(ancestors);
  expect(missing.length).toBe(Math.min(20, expected.length));
  expect(expected).toEqual(expect.arrayContaining(idsOf(missing)));
  expect(new Set(idsOf(missing)).size).toBe(missing.length);

  const minDepth = 6;
  for (const { pdu } of await ask.missingEvents(room.roomId, { ...query, minDepth })) {
    expect(pdu.depth).toBeGreaterThanOrEqual(minDepth);
  }
});

property("the event nearest to a time", async (ask, reference, room) => {
  const times = reference.timeline().map((id) => reference.event(id).pdu.origin_server_ts);
  const asked = [...times, times[0]! - 1, Math.max(...times) + 1, times[0]! + 500];
  for (const ts of asked) {
    const after = times.filter((time) => time >= ts);
    const before = times.filter((time) => time <= ts);
    const [next, last] = [
      await ask.eventNear(room.roomId, ts, "f"),
      await ask.eventNear(room.roomId, ts, "b"),
    ];
    expect(next?.ts).toBe(after.length === 0 ? undefined : Math.min(...after));
    expect(last?.ts).toBe(before.length === 0 ? undefined : Math.max(...before));
    for (const event of [next, last]) {
      if (event === undefined) continue;
      expect(reference.timeline()).toContain(event.eventId);
      expect(reference.event(event.eventId).pdu.origin_server_ts).toBe(event.ts);
      expect(event.isNextToGap).toBe(false);
    }
  }
});
