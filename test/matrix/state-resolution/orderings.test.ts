import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventNid, ResolvableEvent } from "../../../src/matrix/state-resolution/api.ts";
import { LoadedEvents } from "../../../src/matrix/state-resolution/loaded-events.ts";
import { mainlineOrdering } from "../../../src/matrix/state-resolution/mainline.ts";
import { reverseTopologicalPowerOrdering } from "../../../src/matrix/state-resolution/power-order.ts";
import { type Citations, citations, graphOf } from "./arbitrary-auth-graph.ts";

type Event = Pick<ResolvableEvent["pdu"], "type" | "sender" | "state_key" | "content" | "origin_server_ts">;

const create: Event = {
  type: "m.room.create",
  sender: "@a:a",
  state_key: "",
  content: {},
  origin_server_ts: 0,
};

/** Events of the numbers that they have in a graph; ids run against them, so that they do not help. */
function eventsOf(cited: Citations, event: (nid: EventNid) => Partial<Event>): ResolvableEvent[] {
  return cited.map((authEvents, index) => ({
    nid: index + 1,
    eventId: `$${String.fromCharCode(0x7e - index)}`,
    pdu: {
      ...create,
      ...event(index + 1),
      depth: 0,
      prev_events: [],
      auth_events: [],
      hashes: { sha256: "" },
      signatures: {},
    },
    authEvents,
    rejected: false,
  }));
}

const names = (events: readonly ResolvableEvent[]) => events.map(({ nid }) => nid);

describe("reverse topological power ordering", () => {
  const timesAndLevels = fc.func(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(0, 50, Infinity)));

  /** Step by step the smallest of those of which all that they cite is in order. */
  function naive(
    events: readonly ResolvableEvent[],
    levelOf: (event: ResolvableEvent) => number,
  ): EventNid[] {
    const order: EventNid[] = [];
    const all = new Set(names(events));
    while (order.length < events.length) {
      const [smallest] = events
        .filter(({ nid }) => !order.includes(nid))
        .filter(({ authEvents }) => authEvents.every((nid) => order.includes(nid) || !all.has(nid)))
        .sort((x, y) => {
          const [level, other] = [levelOf(x), levelOf(y)];
          if (level !== other) return other > level ? 1 : -1;
          if (x.pdu.origin_server_ts !== y.pdu.origin_server_ts) {
            return x.pdu.origin_server_ts - y.pdu.origin_server_ts;
          }
          return x.eventId < y.eventId ? -1 : 1;
        });
      order.push(smallest!.nid);
    }
    return order;
  }

  test("it is the smallest of the topological orders, however the events come", () => {
    fc.assert(
      fc.property(citations, timesAndLevels, fc.nat(), (cited, facts, seed) => {
        const events = eventsOf(cited, (nid) => ({
          type: "m.room.power_levels",
          origin_server_ts: facts(nid)[0],
        }));
        const levelOf = ({ nid }: ResolvableEvent) => facts(nid)[1];
        const shuffled = [...events].sort((a, b) => ((a.nid * seed) % 41) - ((b.nid * seed) % 41));
        const full = new Map(shuffled.map((event) => [event.nid, event]));
        expect(names(reverseTopologicalPowerOrdering(full, levelOf))).toEqual(naive(events, levelOf));
      }),
    );
  });

  const pair = (...events: Partial<Event>[]) =>
    new Map(eventsOf([[], ...events.map(() => [])], (nid) => events[nid - 2] ?? {}).map((e) => [e.nid, e]));

  test.each<[what: string, event: Partial<Event>, isPower: boolean]>([
    ["the create event", {}, true],
    ["power levels", { type: "m.room.power_levels" }, true],
    ["power levels under another key", { type: "m.room.power_levels", state_key: "x" }, false],
    ["join rules", { type: "m.room.join_rules" }, true],
    ["join rules under another key", { type: "m.room.join_rules", state_key: "x" }, false],
    ["a kick", { type: "m.room.member", state_key: "@b:b", content: { membership: "leave" } }, true],
    ["a ban", { type: "m.room.member", state_key: "@b:b", content: { membership: "ban" } }, true],
    ["an invite", { type: "m.room.member", state_key: "@b:b", content: { membership: "invite" } }, false],
    ["leaving", { type: "m.room.member", state_key: "@a:a", content: { membership: "leave" } }, false],
    ["a ban of oneself", { type: "m.room.member", state_key: "@a:a", content: { membership: "ban" } }, false],
    ["a topic", { type: "m.room.topic" }, false],
  ])("%s (%j): %s", (_, event, isPower) => {
    const full = pair(event);
    full.delete(1);
    expect(names(reverseTopologicalPowerOrdering(full, () => 0))).toEqual(isPower ? [2] : []);
  });

  test.each([
    ["what they cite within the set", [1, 2, 3], [1, 2, 3]],
    ["not what they only reach through events outside of it", [1, 3], [3]],
  ])("with power events comes %s", (_, full, want) => {
    // Synapse goes by direct citations, and so has 1 among the events of the mainline ordering.
    const events = eventsOf([[], [1], [2]], (nid) => ({
      type: nid === 3 ? "m.room.join_rules" : "m.room.topic",
    }));
    const chosen = new Map(full.map((nid) => [nid, events[nid - 1]!]));
    expect(names(reverseTopologicalPowerOrdering(chosen, () => 0))).toEqual(want);
  });
});

describe("mainline ordering", () => {
  /** Whole chains of power levels, and the first event of one that is in the mainline. */
  function naivePosition(
    nid: EventNid,
    tip: EventNid | undefined,
    next: (nid: EventNid) => EventNid | undefined,
  ) {
    const chain = (first: EventNid | undefined) => {
      const all: EventNid[] = [];
      for (let at = first; at !== undefined; at = next(at)) all.push(at);
      return all;
    };
    const mainline = chain(tip);
    const joins = chain(next(nid)).find((other) => mainline.includes(other));
    return joins === undefined ? Infinity : mainline.indexOf(joins);
  }

  const source = (events: readonly ResolvableEvent[], cited: Citations) => {
    const asked: EventNid[][] = [];
    return {
      asked,
      graph: graphOf(cited),
      events: async (nids: readonly EventNid[]) => {
        asked.push([...nids]);
        return nids.map((nid) => events[nid - 1]!);
      },
    };
  };

  test("it goes by where an event's power levels join the mainline, then by time, then by id", async () => {
    // Each event cites one power levels event at most, as accepted events do, and whatever else.
    const rooms = citations.chain((cited) =>
      fc.record({
        cited: fc.constant(cited),
        levels: fc.array(fc.boolean(), { minLength: cited.length, maxLength: cited.length }),
        times: fc.array(fc.nat(2), { minLength: cited.length, maxLength: cited.length }),
        tip: fc.nat(cited.length),
      }),
    );
    await fc.assert(
      fc.asyncProperty(rooms, async ({ cited, levels, times, tip }) => {
        const isLevels = (nid: EventNid) => levels[nid - 1]!;
        const single = cited.map((of) => of.filter((nid) => !isLevels(nid) || nid === of.find(isLevels)));
        const next = (nid: EventNid) => single[nid - 1]!.find(isLevels);
        const events = eventsOf(single, (nid) => ({
          type: isLevels(nid) ? "m.room.power_levels" : "m.room.topic",
          origin_server_ts: times[nid - 1]!,
        }));
        const powerLevels = tip > 0 && isLevels(tip) ? events[tip - 1] : undefined;
        const others = events.filter(({ nid }) => !isLevels(nid));

        const from = source(events, single);
        const loaded = new LoadedEvents(from);
        await loaded.loadWithAuthEvents([...names(others), ...(powerLevels ? [powerLevels.nid] : [])]);
        const ordered = await mainlineOrdering(others, powerLevels, loaded, from.graph);

        const position = new Map(
          others.map(({ nid }) => [nid, naivePosition(nid, powerLevels?.nid, next)] as const),
        );
        const want = [...others].sort((a, b) => {
          const [x, y] = [position.get(a.nid)!, position.get(b.nid)!];
          if (x !== y) return y > x ? 1 : -1;
          const [at, bt] = [a.pdu.origin_server_ts, b.pdu.origin_server_ts];
          return at === bt ? (a.eventId < b.eventId ? -1 : 1) : at - bt;
        });
        expect(names(ordered)).toEqual(names(want));
        expect(new Set(from.asked.flat()).size).toBe(from.asked.flat().length);
      }),
    );
  });

  // 1,000 power levels in a row, and topics that cite the first and the last but 50.
  const length = 1000;
  const row = Array.from({ length }, (_, index) => (index === 0 ? [] : [index]));
  const cited = [...row, [1], [length - 50]];
  const events = eventsOf(cited, (nid) => ({ type: nid > length ? "m.room.topic" : "m.room.power_levels" }));
  const [old, recent] = events.slice(length) as [ResolvableEvent, ResolvableEvent];

  test.each([
    ["the whole of a long mainline", [recent, old], [old, recent], 8, length],
    ["no more than twice as far as it takes", [recent], [recent], 4, 110],
  ])("it asks for %s in few batches", async (_, unordered, ordered, batches, most) => {
    const from = source(events, cited);
    const loaded = new LoadedEvents(from);
    await loaded.loadWithAuthEvents([...names(unordered), length]);
    from.asked.length = 0;
    expect(await mainlineOrdering(unordered, events[length - 1], loaded, from.graph)).toEqual(ordered);
    expect(from.asked.length).toBeLessThanOrEqual(batches);
    expect(from.asked.flat().length).toBeLessThanOrEqual(most);
  });

  test("it asks for what many short chains join in one batch", async () => {
    // A mainline of 100, from each of which another power levels event branches off, which a topic cites.
    const hundred = Array.from({ length: 100 }, (_, index) => index);
    const branching = [
      ...hundred.map((index) => (index === 0 ? [] : [index])),
      ...hundred.map((index) => [index + 1]),
      ...hundred.map((index) => [index + 101]),
    ];
    const all = eventsOf(branching, (nid) => ({ type: nid > 200 ? "m.room.topic" : "m.room.power_levels" }));
    const from = source(all, branching);
    const loaded = new LoadedEvents(from);
    const topics = all.slice(200);
    await loaded.loadWithAuthEvents([...names(topics), 100]);
    const ordered = await mainlineOrdering(topics.toReversed(), all[99], loaded, from.graph);
    expect(names(ordered)).toEqual(names(topics));
    expect(from.asked.length).toBe(2);
  });

  test("it does without any where all that has to be known is there", async () => {
    const from = source(events, cited);
    const loaded = new LoadedEvents(from);
    const topic = { ...recent, authEvents: [length] };
    await loaded.load([length]);
    expect(await mainlineOrdering([topic], events[length - 1], loaded, from.graph)).toEqual([topic]);
    expect(from.asked.length).toBe(1);
  });
});
