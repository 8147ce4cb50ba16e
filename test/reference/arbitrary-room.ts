import fc from "fast-check";
import { type RoomVersionRules, roomVersionRules, roomVersions } from "../../src/matrix/room-versions.ts";
import { type Action, act, actionKinds, joinRules } from "./actions.ts";
import type { RefEvent } from "./events.ts";
import { type Manner, Network, type Seen } from "./network.ts";
import { roomText } from "./room-text.ts";

/** A room as several servers have made it, some of them in bad faith. */
export type GeneratedRoom = {
  readonly rules: RoomVersionRules;
  readonly version: string;
  readonly roomId: string;
  /** Each comes after its prev_events and auth_events. The first is the create event. */
  readonly events: readonly RefEvent[];
  /** The same events in other such orders. */
  readonly arrivals: readonly (readonly RefEvent[])[];
};

/** How the room is set up before anything happens in it. */
type Setup = {
  readonly version: string;
  readonly servers: number;
  /** A level for each user; the first one, who creates the room, has 100 or is above all levels. */
  readonly levels: readonly number[];
  /** How many of the users, from the last backwards, are not in the room to begin with. */
  readonly outside: number;
  readonly joinRule: string;
};

const version = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("12", "11", "10") },
  { weight: 3, arbitrary: fc.constantFrom("6", "2", "1") },
  { weight: 1, arbitrary: fc.constantFrom(...roomVersions) },
);

const setup: fc.Arbitrary<Setup> = fc.record({
  version,
  servers: fc.integer({ min: 2, max: 4 }),
  levels: fc.array(fc.constantFrom(0, 50, 100, 49), { minLength: 3, maxLength: 8, size: "max" }),
  outside: fc.nat({ max: 2 }),
  joinRule: fc.constantFrom("public", ...joinRules),
});

/** Mostly honest, so that rooms get somewhere. The first is what shrinking leads to. */
const manner: fc.Arbitrary<Manner> = fc.constantFrom(
  ...Array<Manner>(12).fill("honest"),
  "unchecked",
  "unchecked",
  "behind",
  "behind",
  "behind",
  "reaching-back",
  "misauthorised",
  "misdated",
);

const small = fc.nat({ max: 11 });
const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom(...actionKinds),
  user: small,
  target: small,
  value: small,
  manner,
});

/** Which of the events that could come next does; 0 is the next in the order that they were made in. */
const turns = fc.array(fc.nat({ max: 5 }), { maxLength: 90, size: "max" });

/**
 * Rooms of up to some 90 events, most of them of 20 to 60, with the real ids and hashes of their version and no signatures.
 * A failing one shrinks to the few actions that matter, and is printed as a list of its events.
 */
export const generatedRoom: fc.Arbitrary<GeneratedRoom> = fc
  .record({
    setup,
    actions: fc.array(action, { maxLength: 180, size: "max" }),
    turns: fc.tuple(turns, turns),
  })
  .map((plan) => {
    const network = setUp(plan.setup);
    for (const step of plan.actions) act(network, step);
    const { events, rules } = network;
    const room: GeneratedRoom = {
      rules,
      version: plan.setup.version,
      roomId: network.roomId!,
      events,
      arrivals: plan.turns.map((order) => reordered(events, order)),
    };
    return Object.assign(room, { [fc.toStringMethod]: () => roomText(room) });
  });

function setUp({ version, servers, levels, outside, joinRule }: Setup): Network {
  const rules = roomVersionRules(version)!;
  const network = new Network(rules, { servers, users: levels.length });
  const creator = network.users[0]!;
  const send = (user: number, type: string, content: ReturnType<Seen>, key = "") =>
    network.send(user, () => ({ type, state_key: key, content: content ?? {} }));

  send(0, "m.room.create", { room_version: version, ...(rules.creatorIsSender ? {} : { creator }) });
  send(0, "m.room.member", { membership: "join" }, creator);
  const users = Object.fromEntries(levels.map((level, index) => [network.users[index]!, level]));
  delete users[creator];
  if (!rules.privilegedCreators) users[creator] = 100;
  send(0, "m.room.power_levels", { users });
  send(0, "m.room.join_rules", { join_rule: "public" });
  const inside = Math.max(2, levels.length - outside);
  for (let user = 1; user < inside; user += 1) {
    network.synchronise(user, user - 1);
    send(user, "m.room.member", { membership: "join" }, network.users[user]);
  }
  network.synchronise(0, inside - 1);
  if (joinRule !== "public") send(0, "m.room.join_rules", { join_rule: joinRule });
  network.synchroniseAll();
  return network;
}

/** An order in which each event comes after all that it refers to. */
function reordered(events: readonly RefEvent[], turns: readonly number[]): RefEvent[] {
  const waiting = [...events];
  const order: RefEvent[] = [];
  const taken = new Set<string>();
  while (waiting.length > 0) {
    const ready = waiting.filter(({ prev, auth }) => [...prev, ...auth].every((id) => taken.has(id)));
    const next = ready[(turns[order.length] ?? 0) % ready.length]!;
    waiting.splice(waiting.indexOf(next), 1);
    taken.add(next.eventId);
    order.push(next);
  }
  return order;
}
