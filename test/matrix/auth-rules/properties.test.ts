import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authTypesFor } from "../../../src/matrix/auth-events.ts";
import { authorise } from "../../../src/matrix/auth-rules/authorise.ts";
import { checkAuthEventsSelection } from "../../../src/matrix/auth-rules/selection.ts";
import type { JsonObject, JsonValue } from "../../../src/matrix/json.ts";
import { powerLevels, readLevel } from "../../../src/matrix/power-levels.ts";
import { roomVersionRules } from "../../../src/matrix/room-versions.ts";
import { usualRoom } from "../room-builder.ts";
import { versions } from "./judge.ts";

const users = ["@creator:a.example", "@a:a.example", "@b:b.example", "@c:c.example"];
const user = fc.constantFrom(...users);
const version = fc.constantFrom(...versions("1"));

// Values of every kind, with those that the rules look for among them.
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, 0, 50, 100, -1, "50", "", "join", "public", [], {}),
  user,
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
);
const names = [
  "membership join_rule third_party_invite join_authorised_via_users_server users events notifications ban",
  "invite users_default state_default creator additional_creators room_version m.federate redacts __proto__",
].flatMap((line) => line.split(" "));
const content = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5, noNullPrototype: true });
const type = fc.constantFrom(
  ..."create member join_rules power_levels third_party_invite aliases redaction message"
    .split(" ")
    .map((name) => `m.room.${name}`),
);
const stateKey = fc.option(fc.oneof(fc.constant(""), user, fc.string()), { nil: undefined });

test("whatever the content of an event and of the state, there is a verdict", () => {
  const step = fc.record({ type, sender: user, stateKey, content });
  fc.assert(
    fc.property(version, fc.array(step, { maxLength: 6 }), step, (id, state, { stateKey: key, ...last }) => {
      const rules = roomVersionRules(id)!;
      const room = usualRoom({ version: id });
      const pduOf = ({ type: eventType, sender, content: body, stateKey: at }: (typeof state)[number]) => ({
        ...room.create.pdu,
        ...{ type: eventType, sender, content: body as JsonObject },
        room_id: room.roomId,
        ...(at !== undefined && { state_key: at }),
      });
      const entries = state.map((entry, index) => ({ eventId: `$${index}:a.example`, pdu: pduOf(entry) }));
      const lookUp = (eventType: string, at: string) =>
        entries.find(({ pdu }) => pdu.type === eventType && pdu.state_key === at) ??
        room.state(eventType, at);
      const event = { eventId: "$event:a.example", pdu: pduOf({ ...last, stateKey: key }) };
      const verdict = authorise(event, rules, lookUp);
      expect(["allow", "reject"]).toContain(verdict.outcome);
      if (verdict.outcome === "reject") {
        expect(verdict.rule).toMatch(/^\d+(\.\d+)*$/);
        expect(verdict.reason).toMatch(/^\S.* .*\.$/);
      }

      const selected = authTypesFor(event.pdu, rules);
      expect(new Set(selected.map((pair) => JSON.stringify(pair))).size).toBe(selected.length);
      const known = entries.map((entry) => ({ ...entry, rejected: false }));
      expect(["allow", "reject"]).toContain(checkAuthEventsSelection(event.pdu, rules, known).outcome);
    }),
  );
});

const withoutUndefined = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, entry]) => entry !== undefined));

describe("changes of power levels that are allowed", () => {
  const level = fc.integer({ min: -2, max: 3 });
  const levels = fc.record(
    {
      users: fc.dictionary(user, level, { noNullPrototype: true }),
      users_default: level,
      events_default: level,
      events: fc.dictionary(fc.constantFrom("x", "y"), level, { noNullPrototype: true }),
      invite: level,
      ban: level,
    },
    { requiredKeys: [] },
  );
  // Mostly a step away from what is, as a change of everything is hardly ever allowed; and an entry may go.
  const edit = fc.record({
    users: fc.dictionary(user, fc.option(level, { nil: undefined }), { maxKeys: 2, noNullPrototype: true }),
    top: fc.oneof(fc.constant({}), fc.constant({}), levels),
  });

  test("raise nobody above the sender, and take no level from others who are not below", () => {
    let allowed = 0;
    fc.assert(
      fc.property(version, user, levels, edit, (id, sender, content, { users: changed, top }) => {
        // Everybody may try: the level that it takes is not what this is about.
        const current = { ...content, state_default: -2 };
        const next = withoutUndefined({
          ...current,
          ...top,
          users: withoutUndefined({ ...current.users, ...changed }),
        });
        const room = usualRoom({ version: id, joinRule: "public" });
        const { rules } = room;
        for (const member of users) room.member(member, "join");
        room.set("m.room.power_levels", current);
        const event = room.event({ type: "m.room.power_levels", sender, state_key: "", content: next });
        if (authorise(event, rules, room.state).outcome === "reject") return;
        allowed += 1;
        const before = powerLevels(current, room.create.pdu, rules);
        const after = powerLevels(next, room.create.pdu, rules);
        const own = before.userLevel(sender);
        for (const member of users) {
          const [was, is] = [before.userLevel(member), after.userLevel(member)];
          // Taking an entry away gives a user users_default, which the rules allow whatever that is.
          const bound = Math.max(own, before.level("users_default"));
          if (is > was) expect(is).toBeLessThanOrEqual(bound);
          // A user without an entry falls with users_default, which takes no more than being at that level.
          if (is < was && member !== sender && readLevel(current.users?.[member], rules) !== undefined) {
            expect(was).toBeLessThan(own);
          }
        }
      }),
    );
    expect(allowed).toBeGreaterThan(0);
  });
});
