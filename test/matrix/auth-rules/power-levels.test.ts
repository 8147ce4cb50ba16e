import { describe, expect, test } from "vitest";
import type { RuleName } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import type { JsonObject, JsonValue } from "../../../src/matrix/json.ts";
import { levelNames } from "../../../src/matrix/power-levels.ts";
import { testRoom, usualRoom } from "../room-builder.ts";
import { expected, judge, versions } from "./judge.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";

/** Alice, at level 50 and allowed to send power levels, changes `before` to `after`; her own entry stays. */
function change(version: string, before: JsonObject, after: JsonObject) {
  const withAlice = (content: JsonObject): JsonObject => ({
    ...content,
    users: { [alice]: 50, ...(content.users as JsonObject | undefined) },
  });
  const room = usualRoom({ version, creator: "@root:a.example" });
  room.set("m.room.power_levels", withAlice(before));
  room.member(alice, "join");
  const event = { type: "m.room.power_levels", sender: alice, state_key: "", content: withAlice(after) };
  return { outcome: judge(room, event), rules: room.rules };
}

type Row = [what: string, before: JsonObject, after: JsonObject, want: "allow" | RuleName];

describe.each(versions("1"))("v%s: what a sender at 50 may change", (version) => {
  test.each(
    levelNames.flatMap((name): Row[] => [
      [`${name} up to 50`, { [name]: 10 }, { [name]: 50 }, "allow"],
      [`${name} up to 51`, { [name]: 10 }, { [name]: 51 }, "power_levels.levels.new"],
      [`${name} down from 50`, { [name]: 50 }, { [name]: 10 }, "allow"],
      [`${name}, added`, {}, { [name]: 50 }, "allow"],
      [`${name}, added as 51`, {}, { [name]: 51 }, "power_levels.levels.new"],
      [`${name}, removed`, { [name]: 50 }, {}, "allow"],
    ]),
  )("%s", (_, before, after, want) => {
    const { outcome, rules } = change(version, before, after);
    expect(outcome).toBe(expected(want, rules));
  });

  // With state_default at 51 the sender could not send power levels at all.
  const others = levelNames.filter((name) => name !== "state_default");
  test.each(
    others.flatMap((name): Row[] => [
      [`${name} down from 51`, { [name]: 51 }, { [name]: 10 }, "power_levels.levels.current"],
      [`${name} left at 51`, { [name]: 51 }, { [name]: 51, notifications: { room: 1 } }, "allow"],
    ]),
  )("%s", (_, before, after, want) => {
    const { outcome, rules } = change(version, before, after);
    expect(outcome).toBe(expected(want, rules));
  });

  test.each<Row>([
    ["an event's level up to 50", { events: { x: 10 } }, { events: { x: 50 } }, "allow"],
    [
      "an event's level up to 51",
      { events: { x: 10 } },
      { events: { x: 51 } },
      "power_levels.events_new.value",
    ],
    ["an event's level added as 50", {}, { events: { x: 50 } }, "allow"],
    ["an event's level added as 51", {}, { events: { x: 51 } }, "power_levels.events_new.value"],
    ["an event's level down from 50", { events: { x: 50 } }, { events: { x: 0 } }, "allow"],
    [
      "an event's level down from 51",
      { events: { x: 51 } },
      { events: { x: 0 } },
      "power_levels.events_current.value",
    ],
    ["an event's level removed from 50", { events: { x: 50 } }, {}, "allow"],
    ["an event's level removed from 51", { events: { x: 51 } }, {}, "power_levels.events_current.value"],
    ["an event's level left at 51", { events: { x: 51 } }, { events: { x: 51 } }, "allow"],
    ["a user up to 50", { users: { [bob]: 49 } }, { users: { [bob]: 50 } }, "allow"],
    ["a user up to 51", { users: { [bob]: 49 } }, { users: { [bob]: 51 } }, "power_levels.users_new.value"],
    ["a user added at 50", {}, { users: { [bob]: 50 } }, "allow"],
    ["a user added at 51", {}, { users: { [bob]: 51 } }, "power_levels.users_new.value"],
    ["a user down from 49", { users: { [bob]: 49 } }, { users: { [bob]: 0 } }, "allow"],
    [
      "a user down from 50",
      { users: { [bob]: 50 } },
      { users: { [bob]: 0 } },
      "power_levels.users_current.value",
    ],
    ["a user removed from 49", { users: { [bob]: 49 } }, {}, "allow"],
    ["a user removed from 50", { users: { [bob]: 50 } }, {}, "power_levels.users_current.value"],
    ["a user left at 51", { users: { [bob]: 51 } }, { users: { [bob]: 51 } }, "allow"],
    ["the sender down", {}, { users: { [alice]: 49 } }, "allow"],
    ["the sender up", {}, { users: { [alice]: 51 } }, "power_levels.users_new.value"],
  ])("%s", (_, before, after, want) => {
    const { outcome, rules } = change(version, before, after);
    expect(outcome).toBe(expected(want, rules));
  });

  test.each<Row>([
    ["raised to 50", { notifications: { room: 10 } }, { notifications: { room: 50 } }, "allow"],
    [
      "raised to 51",
      { notifications: { room: 10 } },
      { notifications: { room: 51 } },
      "power_levels.events_new.value",
    ],
    [
      "lowered from 51",
      { notifications: { room: 51 } },
      { notifications: { room: 0 } },
      "power_levels.events_current.value",
    ],
    ["removed from 51", { notifications: { room: 51 } }, {}, "power_levels.events_current.value"],
  ])("a notification's level %s, which counts from v6 on", (_, before, after, want) => {
    const { outcome, rules } = change(version, before, after);
    expect(outcome).toBe(expected(rules.notificationsPowerLevels ? want : "allow", rules));
  });

  test("a level that is left out is its default: kick goes from 60 to 50, and then is 50", () => {
    const { outcome, rules } = change(version, { state_default: 50, kick: 60 }, { state_default: 50 });
    expect(outcome).toBe(expected("power_levels.levels.current", rules));
    expect(change(version, {}, { kick: 50 }).outcome).toBe("allow");
  });
});

describe("levels left out count as their defaults for a sender at 40", () => {
  const room = usualRoom({
    version: "11",
    levels: { users: { [alice]: 40 }, events: { "m.room.power_levels": 40 }, invite: 10 },
  });
  room.member(alice, "join");
  const base = { users: { [alice]: 40 }, events: { "m.room.power_levels": 40 }, invite: 10 };
  test.each<[what: string, content: JsonObject, want: string]>([
    ["ban added, from the default 50", { ...base, ban: 30 }, "9.5.1"],
    ["events_default added, from the default 0", { ...base, events_default: 40 }, "allow"],
    ["invite removed, to the default 0", { users: base.users, events: base.events }, "allow"],
  ])("%s", (_, content, want) => {
    expect(judge(room, { type: "m.room.power_levels", sender: alice, state_key: "", content })).toBe(want);
  });
});

describe.each(versions("1"))("v%s: the form of the first power levels event", (version) => {
  const first = (content: JsonObject) => {
    const room = testRoom({ version });
    room.member(room.creator, "join");
    const event = { type: "m.room.power_levels", state_key: "", content };
    return { outcome: judge(room, event), rules: room.rules };
  };

  test("anything goes that can be read", () => {
    expect(first({}).outcome).toBe("allow");
    expect(first({ users: { [bob]: 9000 }, ban: 9001, events: { x: 9002 } }).outcome).toBe("allow");
  });

  test.each<[what: string, users: JsonValue]>([
    ["null", null],
    ["a list", []],
    ["a key that is no user id", { bob: 1 }],
    ["a level that is no number", { [bob]: true }],
    ["a level that is null", { [bob]: null }],
    ["a level of words", { [bob]: "high" }],
    ["a level of a fraction in a string", { [bob]: "1.5" }],
    ["a level of nothing in a string", { [bob]: "" }],
  ])("users: %s", (_, users) => {
    const { outcome, rules } = first({ users });
    expect(outcome).toBe(expected("power_levels.users", rules));
  });

  test.each(["10", " 0010 ", "+10", "-10"])("the string %j is a level up to v9", (level) => {
    const { rules } = first({});
    const want = (name: RuleName) => expected(rules.integerPowerLevels ? name : "allow", rules);
    expect(first({ users: { [bob]: level } }).outcome).toBe(want("power_levels.users"));
    expect(first({ ban: level }).outcome).toBe(want("power_levels.integers"));
    expect(first({ events: { x: level } }).outcome).toBe(want("power_levels.integer_maps"));
    expect(first({ notifications: { room: level } }).outcome).toBe(want("power_levels.integer_maps"));
  });

  test.each<[what: string, content: JsonObject, since10: RuleName, before10: RuleName]>([
    ["ban as a word", { ban: "high" }, "power_levels.integers", "power_levels.levels.new"],
    ["invite as null", { invite: null }, "power_levels.integers", "power_levels.levels.new"],
    ["events as a list", { events: [] }, "power_levels.integer_maps", "power_levels.events_new.value"],
    [
      "events with words",
      { events: { x: "y" } },
      "power_levels.integer_maps",
      "power_levels.events_new.value",
    ],
  ])("%s", (_, content, since10, before10) => {
    const { outcome, rules } = first(content);
    expect(outcome).toBe(expected(rules.integerPowerLevels ? since10 : before10, rules));
  });

  test("no creator has a level from v12 on", () => {
    const { outcome, rules } = first({ users: { "@creator:a.example": 100 } });
    expect(outcome).toBe(expected(rules.privilegedCreators ? "power_levels.creators" : "allow", rules));
  });
});

test("v12: an additional creator has no level either, and may set any", () => {
  const room = usualRoom({ create: { additional_creators: [alice] } });
  room.member(alice, "join");
  const levels = (content: JsonObject) => ({
    type: "m.room.power_levels",
    sender: alice,
    state_key: "",
    content,
  });
  expect(judge(room, levels({ users: { [alice]: 1 } }))).toBe("10.4");
  expect(judge(room, levels({ users: { [bob]: 2 ** 53 - 1 }, ban: 2 ** 53 - 1 }))).toBe("allow");
});

test("v5: floats are cut off at the point before they are compared", () => {
  expect(change("5", { users: { [bob]: 49.9 } }, { users: { [bob]: 50.9 } }).outcome).toBe("allow");
  expect(change("5", { users: { [bob]: 50.9 } }, {}).outcome).toBe("10.6.1");
});

test("a level written otherwise is not a change", () => {
  expect(change("9", { users: { [bob]: 51 } }, { users: { [bob]: " 051" } }).outcome).toBe("allow");
});
