import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { type GeneratedRoom, generatedRoom } from "../../reference/arbitrary-room.ts";
import { powerLevelsKey, type RefState } from "../../reference/events.ts";
import { ReferenceRoom } from "../../reference/room-model.ts";
import { stateText } from "../../reference/room-text.ts";
import { nameOf, RoomHistory, type State } from "./room-history.ts";

/** What there was to resolve. */
class Tally {
  /** Of states that differ in the power levels. */
  powerConflicts = 0;
  /** With a result that is none of the states. */
  merges = 0;

  count(states: readonly State[], resolved: State): void {
    if (new Set(states.map((state) => state.get(powerLevelsKey))).size > 1) this.powerConflicts += 1;
    if (!new Set(states.map(stateText)).has(stateText(resolved))) this.merges += 1;
  }
}

/** Two views of a room: the reference's, and what the implementation numbers, in another order of arrival. */
function viewsOf({ rules, version, events, arrivals }: GeneratedRoom) {
  const reference = new ReferenceRoom(rules);
  for (const event of events) reference.receive(event);
  const history = new RoomHistory(version);
  for (const event of arrivals[0]!) {
    history.receive(event, reference.verdict(event.eventId).outcome === "rejected");
  }
  return { reference, history };
}

const named = (state: RefState): State => new Map([...state].map(([key, id]) => [key, nameOf(id)]));

/** Each a few events of a room, wherever in it they are. */
const choices = fc.array(fc.array(fc.nat(), { minLength: 2, maxLength: 4 }), { minLength: 3, maxLength: 3 });

const rooms = 15 * inject("propertyRuns");
const timeout = 200 * rooms;

test("states of rooms of all kinds resolve to what the reference says", { timeout }, async () => {
  const newTallies = () => ({ v1: new Tally(), v2: new Tally(), "v2.1": new Tally() });
  const tallies = { merged: newTallies(), chosen: newTallies() };

  await fc.assert(
    fc.asyncProperty(generatedRoom, choices, async (room, indices) => {
      const { reference, history } = viewsOf(room);
      const { events, rules } = room;
      const places = {
        /** Where events of the room merge its branches. */
        merged: events.map(({ prev }) => prev).filter((prev) => prev.length > 1),
        chosen: indices.map((some) => some.map((index) => events[index % events.length]!.eventId)),
      };
      for (const kind of ["merged", "chosen"] as const) {
        for (const after of places[kind]) {
          const states = after.map((id) => named(reference.stateAfter(id)));
          const resolved = await history.resolve(states);
          expect(stateText(resolved)).toBe(stateText(named(reference.stateAfterAll(after))));
          tallies[kind][rules.stateResolution].count(states, resolved);
        }
      }
    }),
    { numRuns: rooms },
  );
  // It was no comparison of nothing: usually there is five times as much, or more.
  for (const [kind, byAlgorithm] of Object.entries(tallies)) {
    for (const [algorithm, { powerConflicts, merges }] of Object.entries(byAlgorithm)) {
      const what = `${algorithm}, ${kind}`;
      expect(powerConflicts, what).toBeGreaterThan(rooms / 30);
      expect(merges, what).toBeGreaterThan(rooms / 30);
    }
  }
});
