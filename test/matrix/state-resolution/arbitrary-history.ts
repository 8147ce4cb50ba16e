import fc from "fast-check";
import { authTypesFor } from "../../../src/matrix/auth-events.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { roomVersionRules } from "../../../src/matrix/room-versions.ts";
import { keyOf, type State, type ToldEvent } from "./room-history.ts";

const users = ["@a:a.example", "@b:b.example", "@c:c.example", "@d:d.example"] as const;
const [creator] = users;

/** A room with its forks, and some states of it. Nothing is authorised, so that states are as odd as they can be. */
export type ArbitraryRoom = {
  readonly version: string;
  /** Each after all that it cites. */
  readonly events: readonly ToldEvent[];
  readonly states: readonly (readonly string[])[];
};

const step = fc.record({
  actor: fc.nat(users.length - 1),
  target: fc.nat(users.length - 1),
  kind: fc.constantFrom("join", "leave", "invite", "ban", "levels", "levels", "rules", "topic", "name"),
  value: fc.nat(3),
  /** Which earlier events it comes after, counted back from itself: mostly the last. */
  after: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { arbitrary: fc.nat(9), weight: 1 }), {
    minLength: 1,
    maxLength: 2,
  }),
  /** Which of its auth events it leaves out; the create event must be there. */
  without: fc.oneof({ weight: 5, arbitrary: fc.constant(9) }, { weight: 1, arbitrary: fc.nat(3) }),
  ts: fc.nat(5),
  rejected: fc.oneof(
    { weight: 9, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

export const arbitraryRoom: fc.Arbitrary<ArbitraryRoom> = fc
  .record({
    version: fc.constantFrom("1", "2", "6", "11", "12"),
    steps: fc.array(step, { maxLength: 25 }),
    tips: fc.array(fc.nat(12), { minLength: 2, maxLength: 4 }),
  })
  .map(({ version, steps, tips }) => roomOf(version, steps, tips));

function roomOf(version: string, steps: readonly Step[], tips: readonly number[]): ArbitraryRoom {
  const rules = roomVersionRules(version)!;
  const events: ToldEvent[] = [];
  const statesAfter: State[] = [];
  const tell = (event: Omit<ToldEvent, "name" | "auth" | "prev">, after: readonly number[], without = 9) => {
    // States are laid over one another rather than resolved, as a server may be told any state.
    const before: State = new Map(after.flatMap((index) => [...(statesAfter[index] ?? [])]));
    const { type, sender, stateKey, content = {} } = event;
    const auth = authTypesFor({ type, sender, state_key: stateKey!, content }, rules)
      .flatMap(([authType, authKey]) => before.get(keyOf(authType, authKey)) ?? [])
      .filter((cited, index) => index !== without || cited === events[0]?.name);
    // By name, events are in another order than by number.
    const name = `${(events.length * 7) % 10}${events.length}`;
    const depth = 1 + Math.max(0, ...after.map((index) => events[index]?.depth ?? 0));
    events.push({ ...event, name, auth, prev: after.flatMap((index) => events[index]?.name ?? []), depth });
    statesAfter.push(new Map(before).set(keyOf(type, stateKey!), name));
  };

  const last = () => [events.length - 1];
  tell({ type: "m.room.create", sender: creator, stateKey: "", content: { creator }, ts: 0 }, []);
  tell({ ...eventOf({ actor: 0, target: 0, kind: "join", value: 0 }, version), ts: 0 }, last());
  tell({ ...eventOf({ actor: 0, target: 0, kind: "levels", value: 1 }, version), ts: 0 }, last());
  tell({ ...eventOf({ actor: 0, target: 0, kind: "rules", value: 0 }, version), ts: 0 }, last());
  tell({ ...eventOf({ actor: 1, target: 1, kind: "join", value: 0 }, version), ts: 0 }, last());
  for (const { after, without, ts, rejected, ...what } of steps) {
    const indices = after.map((back) => Math.max(0, events.length - 1 - back));
    tell({ ...eventOf(what, version), ts, rejected }, indices, without);
  }
  // Rejected events are cited as others are, but no state that is resolved has them.
  const rejected = new Set(events.filter((event) => event.rejected).map(({ name }) => name));
  const states = tips.map((back) => {
    const state = statesAfter[Math.max(0, events.length - 1 - back)]!;
    return [...state.values()].filter((name) => !rejected.has(name));
  });
  return { version, events, states };
}

function eventOf(
  { actor, target, kind, value }: Pick<Step, "actor" | "target" | "kind" | "value">,
  version: string,
): Pick<ToldEvent, "type" | "sender" | "stateKey" | "content"> {
  const sender = users[actor]!;
  const state = (type: string, content: JsonObject, stateKey = "") => ({ type, sender, stateKey, content });
  switch (kind) {
    case "levels": {
      const levels = { [creator]: 100, [users[1]]: 25 * value, [users[target]!]: 50 };
      // From v12 on, no event was ever accepted that gives creators a level.
      const { [creator]: _, ...others } = levels;
      return state("m.room.power_levels", { users: version === "12" ? others : levels });
    }
    case "rules":
      return state("m.room.join_rules", { join_rule: value < 2 ? "public" : "invite" });
    case "topic":
    case "name":
      return state(`m.room.${kind}`, {});
    default:
      return state("m.room.member", { membership: kind }, kind === "join" ? sender : users[target]!);
  }
}
