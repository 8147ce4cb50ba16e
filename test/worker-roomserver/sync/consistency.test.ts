import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import { MatrixError } from "../../../src/matrix/errors.ts";
import type { StateSection } from "../../../src/worker-roomserver/sync/api.ts";
import { SyncClient } from "./support/client.ts";
import { limit, type TestSync, testSync } from "./support/sync.ts";

/*
 * For any history and any split of it into incremental syncs, a client that applies the answers ends with the
 * timeline and the state that one first sync gives, with no event twice and none lost.
 */

type Step =
  | { do: "say" | "name" | "topic"; who: "alice" | "bob"; room: number }
  | { do: "profile"; who: "alice" | "bob"; room: number }
  | { do: "join" | "leave"; who: "alice" | "carol"; room: number }
  | { do: "come or go"; room: number }
  | { do: "invite" | "kick" | "ban" | "unban"; room: number }
  | { do: "hide" | "show"; room: number }
  | { do: "redact"; room: number }
  | { do: "sync" };

const room = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("say", "name", "topic", "profile"),
      who: fc.constantFrom("alice", "bob"),
      room,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("join", "leave"),
      who: fc.constantFrom("alice", "carol"),
      room,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("come or go"), room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("invite", "kick", "ban", "unban"), room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("hide", "show", "redact"), room }) },
  { weight: 3, arbitrary: fc.constant({ do: "sync" }) },
);

type Stage = { t: TestSync; rooms: string[]; name: (who: string) => string };

/** Two rooms of bob's, and people whom no earlier run has met. */
async function stage(t: TestSync, run: number): Promise<Stage> {
  const name = (who: string) => `${who}${run}`;
  const rooms = [await t.create(name("bob")), await t.create(name("bob"), { name: "Second" })];
  return { t, rooms, name };
}

async function carryOut({ t, rooms, name }: Stage, taken: Exclude<Step, { do: "sync" }>): Promise<void> {
  const roomId = rooms[taken.room]!;
  const unique = crypto.randomUUID();
  switch (taken.do) {
    case "say":
      await t.say(name(taken.who), roomId, unique);
      return;
    case "name":
    case "topic":
      await t.setState(name(taken.who), roomId, `m.room.${taken.do}`, { [taken.do]: unique });
      return;
    case "profile": {
      const content = { membership: "join", displayname: unique };
      await t.setState(name(taken.who), roomId, "m.room.member", content, t.id(name(taken.who)));
      return;
    }
    case "join":
    case "leave":
      return t.act(name(taken.who), taken.do, roomId);
    case "come or go": {
      const { joined_rooms } = await t.rooms.joinedRooms(t.user(name("alice")));
      return t.act(name("alice"), joined_rooms.includes(roomId) ? "leave" : "join", roomId);
    }
    case "invite":
    case "kick":
    case "ban":
    case "unban":
      return t.act(name("bob"), taken.do, roomId, name("alice"));
    case "hide":
    case "show": {
      const content = { history_visibility: taken.do === "hide" ? "joined" : "shared" };
      await t.setState(name("bob"), roomId, "m.room.history_visibility", content);
      return;
    }
    case "redact": {
      const eventId = await t.say(name("bob"), roomId, unique);
      await t.rooms.redact(t.user(name("bob")), { roomId, eventId, txnId: unique, content: {} });
    }
  }
}

/** What the rules of the room forbid is not part of the history. */
async function attempt(on: Stage, taken: Exclude<Step, { do: "sync" }>): Promise<void> {
  try {
    await carryOut(on, taken);
  } catch (error) {
    if (!(error instanceof MatrixError && error.status === 403)) throw error;
  }
}

describe.each<[stateSection: StateSection]>([["state"], ["state_after"]])("with %s", (stateSection) => {
  test.each([1, 3, 50])("and timelines of %i events", async (number) => {
    const t = await testSync();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const on = await stage(t, run++);
        const alice = on.name("alice");
        const client = new SyncClient();
        const sync = async () => {
          const query = { since: client.since, filter: limit(number), stateSection };
          client.apply(await t.poll(alice, query));
        };
        await sync();
        for (const taken of steps) {
          if (taken.do === "sync") await sync();
          else await attempt(on, taken);
        }
        await sync();
        const fresh = new SyncClient();
        fresh.apply(await t.poll(alice, { filter: limit(100), stateSection }));
        const truth = new SyncClient();
        truth.apply(await t.poll(alice, { filter: limit(100), stateSection: "state_after" }));
        compare(client, fresh, truth);
      }),
      // Each run is a history with a database behind it.
      { numRuns: Math.ceil(inject("propertyRuns") / 4) },
    );
  });
});

function compare(client: SyncClient, fresh: SyncClient, truth: SyncClient): void {
  // Rooms that were left are known to the one and not to the other.
  const current = [...client.rooms].filter(([, { membership }]) => membership !== "leave");
  expect(current.map(([roomId]) => roomId).sort()).toEqual([...fresh.rooms.keys()].sort());
  for (const [roomId, { membership, timeline, state }] of current) {
    const wanted = fresh.rooms.get(roomId)!;
    expect(membership).toBe(wanted.membership);
    if (membership !== "join") continue;
    // A timeline that was begun anew after a gap is the end of the whole one, without a hole.
    expect(timeline.length).toBeGreaterThan(0);
    expect(timeline).toEqual(wanted.timeline.slice(-timeline.length));
    expect(new Set(timeline).size).toBe(timeline.length);
    const known = Object.fromEntries(truth.rooms.get(roomId)!.state);
    expect(agreed(state, timeline, known)).toEqual(known);
    expect(agreed(wanted.state, wanted.timeline, known)).toEqual(known);
  }
}

/**
 * A client's state, but for what it cannot know: who takes the state from the timeline, and may not see the event
 * that stands now, is left with an older one that it may see. That is what `state_after` was made for.
 */
function agreed(
  state: ReadonlyMap<string, string>,
  timeline: readonly string[],
  truth: Record<string, string>,
): Record<string, string> {
  const isMisled = (key: string, eventId: string) =>
    timeline.includes(eventId) && truth[key] !== undefined && !timeline.includes(truth[key]);
  return Object.fromEntries(
    [...state].map(([key, eventId]) => [key, isMisled(key, eventId) ? truth[key]! : eventId]),
  );
}
