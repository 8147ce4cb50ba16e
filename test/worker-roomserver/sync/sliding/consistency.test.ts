import fc from "fast-check";
import { expect, inject, test } from "vitest";
import type { SlidingSyncQuery } from "../../../../src/worker-roomserver/sync/sliding/api.ts";
import { json } from "../../support/room.ts";
import { SyncClient } from "../support/client.ts";
import { attempt, type Step, stage, step } from "../support/history.ts";
import { type SlidingAnswer, SlidingClient } from "../support/sliding-client.ts";
import { limit, testSync } from "../support/sync.ts";

/*
 * For any history, and any requests on the way, of more or less of it, with answers that were lost: a client that then
 * asks for all has the rooms, timelines and states that one first sync gives, with no event twice and none lost.
 */

type Ask = { do: "ask"; last: number; events: number; subscribes: boolean; isLost: boolean; byName: boolean };

const move: fc.Arbitrary<Step | Ask> = fc.oneof(
  { weight: 3, arbitrary: step },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("ask"),
      last: fc.nat(1),
      events: fc.constantFrom(1, 3, 50),
      subscribes: fc.boolean(),
      isLost: fc.boolean(),
      byName: fc.boolean(),
    }),
  },
);

const everything = [["*", "*"]] as const;
const names = [["m.room.name", ""]] as const;

test("property: whatever was asked for before, all that is asked for in the end is there", async () => {
  const t = await testSync();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 30 }), fc.constantFrom(1, 40), async (moves, events) => {
      const on = await stage(t, run++);
      const alice = on.name("alice");
      const client = new SlidingClient();
      const ask = async (query: Partial<SlidingSyncQuery>): Promise<SlidingAnswer> => {
        const asked = { timeout: 0, setPresence: "offline" as const, pos: client.pos, ...query };
        return json(
          await t.sync.sliding(t.user(alice), asked, crypto.randomUUID()),
        ) as unknown as SlidingAnswer;
      };
      for (const room of [0, 1]) await attempt(on, { do: "come or go", room });
      for (const taken of moves) {
        if (taken.do !== "ask") {
          await attempt(on, taken);
          continue;
        }
        const config = { timeline_limit: taken.events, required_state: taken.byName ? names : everything };
        const answer = await ask({
          lists: { all: { ...config, ranges: [[0, taken.last]] } },
          ...(taken.subscribes && { room_subscriptions: { [on.rooms[1]!]: config } }),
        });
        if (!taken.isLost) client.apply(answer);
      }
      const all = { all: { timeline_limit: events, required_state: everything } };
      const last = await ask({ lists: all });
      client.apply(last);
      expect((await ask({ lists: all })).rooms).toEqual({});

      const fresh = new SyncClient();
      fresh.apply(await t.poll(alice, { filter: limit(100), stateSection: "state_after" }));
      const present = [...client.rooms].filter(
        ([, { membership }]) => membership !== "leave" && membership !== "ban",
      );
      expect(present.map(([roomId]) => roomId).sort()).toEqual([...fresh.rooms.keys()].sort());
      expect(last.lists.all!.count).toBeGreaterThanOrEqual(present.length);
      for (const [roomId, room] of present) {
        const truth = fresh.rooms.get(roomId)!;
        expect(room.membership).toBe(truth.membership);
        if (room.membership !== "join") continue;
        expect(room.timeline.length).toBeGreaterThan(0);
        expect(room.timeline).toEqual(truth.timeline.slice(-room.timeline.length));
        expect(Object.fromEntries(room.state)).toEqual(Object.fromEntries(truth.state));
        const name = truth.state.get("m.room.name|");
        const { content } =
          name === undefined ? { content: {} as { name?: unknown } } : (await t.rooms.eventById(name))!.pdu;
        expect(room.name).toBe(content.name);
        expect(room.joined).toBe((await t.rooms.memberCounts(await t.nid(roomId))).joined);
      }
    }),
    { numRuns: inject("propertyRuns"), endOnFailure: true },
  );
});
