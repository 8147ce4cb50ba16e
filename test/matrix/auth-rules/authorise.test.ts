import { describe, expect, test } from "vitest";
import { authorise } from "../../../src/matrix/auth-rules/authorise.ts";
import type { RuleName } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import { type EventFields, testRoom, usualRoom } from "../room-builder.ts";
import { brief, expected, judge, versions } from "./judge.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";

describe.each(versions("1"))("v%s", (version) => {
  test("a room without a create event, or of another one, has no events", () => {
    const room = usualRoom({ version });
    const event = room.event({ type: "m.room.message" });
    const want = room.rules.roomIdIsCreateHash ? "room_id" : "auth_events.create";
    expect(brief(authorise(event, room.rules, () => undefined))).toBe(expected(want, room.rules));
    expect(judge(room, event)).toBe("allow");
    if (!room.rules.roomIdIsCreateHash) return;
    const other = usualRoom({ version, creator: bob });
    expect(brief(authorise(event, room.rules, other.state))).toBe(expected("room_id", room.rules));
  });

  test.each<[federate: unknown, user: string, want: "allow" | RuleName]>([
    [false, alice, "allow"],
    [false, bob, "federate"],
    [true, bob, "allow"],
    ["false", bob, "allow"],
    [undefined, bob, "allow"],
  ])("m.federate %j, and %s joins: %s", (federate, user, want) => {
    const create = federate === undefined ? {} : { "m.federate": federate as string };
    const room = usualRoom({ version, create, joinRule: "public" });
    const event: EventFields = {
      type: "m.room.member",
      sender: user,
      state_key: user,
      content: { membership: "join" },
    };
    expect(judge(room, event)).toBe(expected(want, room.rules));
  });

  test.each<[membership: string | undefined, want: "allow" | RuleName]>([
    ["join", "allow"],
    ["invite", "sender"],
    ["leave", "sender"],
    ["ban", "sender"],
    [undefined, "sender"],
  ])("a message from somebody at %s: %s", (membership, want) => {
    const room = usualRoom({ version });
    if (membership !== undefined) room.member(bob, membership);
    expect(judge(room, { type: "m.room.message", sender: bob })).toBe(expected(want, room.rules));
  });

  test.each<[stateKey: string | undefined, membership: unknown, want: "allow" | RuleName]>([
    [bob, "join", "allow"],
    [undefined, "join", "member.malformed"],
    ["bob", "join", "member.malformed"],
    [bob, undefined, "member.malformed"],
    [bob, 1, "member.malformed"],
    [bob, "JOIN", "member.otherwise"],
  ])("a membership event for %s with membership %j: %s", (stateKey, membership, want) => {
    const room = usualRoom({ version, joinRule: "public" });
    const event: EventFields = {
      type: "m.room.member",
      sender: bob,
      content: { membership: membership as string },
    };
    if (stateKey !== undefined) event.state_key = stateKey;
    expect(judge(room, event)).toBe(expected(want, room.rules));
  });

  test.each<[level: number, want: "allow" | RuleName]>([
    [30, "allow"],
    [29, "third_party_invite.level"],
  ])("a third-party invite by %i where invites take 30, and state 50: %s", (level, want) => {
    const room = usualRoom({ version, levels: { users: { [alice]: level }, invite: 30 } });
    room.member(alice, "join");
    const event = { type: "m.room.third_party_invite", sender: alice, state_key: "token" };
    expect(judge(room, event)).toBe(expected(want, room.rules));
  });

  test.each<[what: string, level: number, event: EventFields, want: "allow" | RuleName]>([
    ["a message", 10, { type: "m.room.message" }, "allow"],
    ["a message", 9, { type: "m.room.message" }, "required_level"],
    ["state", 40, { type: "m.room.topic", state_key: "" }, "allow"],
    ["state", 39, { type: "m.room.topic", state_key: "" }, "required_level"],
    ["a message of its own level", 20, { type: "own" }, "allow"],
    ["a message of its own level", 19, { type: "own" }, "required_level"],
    ["state of its own level", 20, { type: "own", state_key: "" }, "allow"],
    ["state of its own level", 19, { type: "own", state_key: "" }, "required_level"],
    ["state of its own level, under the sender's id", 20, { type: "own", state_key: alice }, "allow"],
    ["state of its own level, under another's id", 20, { type: "own", state_key: bob }, "state_key"],
    ["state under something that only starts like an id", 20, { type: "own", state_key: "@" }, "state_key"],
    ["a message named like what every object has", 9, { type: "constructor" }, "required_level"],
  ])("%s at %i: %o: %s", (_, level, event, want) => {
    const levels = { users: { [alice]: level }, events_default: 10, state_default: 40, events: { own: 20 } };
    const room = usualRoom({ version, levels });
    room.member(alice, "join");
    expect(judge(room, { ...event, sender: alice })).toBe(expected(want, room.rules));
  });

  test("without power levels the creator sends state and others send messages only", () => {
    const room = testRoom({ version });
    room.member(room.creator, "join");
    room.member(alice, "join");
    expect(judge(room, { type: "m.room.topic", state_key: "" })).toBe("allow");
    expect(judge(room, { type: "m.room.message", sender: alice })).toBe("allow");
    const topic = { type: "m.room.topic", state_key: "", sender: alice };
    expect(judge(room, topic)).toBe(expected("required_level", room.rules));
  });

  test("m.room.aliases has rules of its own up to v5", () => {
    const room = usualRoom({ version });
    const aliases = (stateKey?: string): EventFields =>
      stateKey === undefined
        ? { type: "m.room.aliases", sender: bob }
        : { type: "m.room.aliases", sender: bob, state_key: stateKey };
    const want = (own: "allow" | RuleName) =>
      expected(room.rules.specialCaseAliasesAuth ? own : "sender", room.rules);
    expect(judge(room, aliases("b.example"))).toBe(want("allow"));
    expect(judge(room, aliases("a.example"))).toBe(want("aliases.domain"));
    expect(judge(room, aliases())).toBe(want("aliases.state_key"));
  });
});

describe.each(versions("1"))("v%s: m.room.redaction", (version) => {
  const redactionOf = (redacts: string, level: number) => {
    const room = usualRoom({ version, levels: { users: { [bob]: level }, redact: 60 } });
    room.member(bob, "join");
    const event = { type: "m.room.redaction", sender: bob, pdu: { redacts }, content: { redacts } };
    return { outcome: judge(room, event), rules: room.rules };
  };
  test.each<[what: string, redacts: string, level: number, upTo2: "allow" | RuleName]>([
    ["another server's event, at the redact level", "$x:a.example", 60, "allow"],
    ["another server's event, below it", "$x:a.example", 59, "redaction.otherwise"],
    ["an event of the own server", "$x:b.example", 0, "allow"],
    ["what is no event id", "x", 0, "redaction.otherwise"],
  ])("%s", (_, redacts, level, upTo2) => {
    const { outcome, rules } = redactionOf(redacts, level);
    expect(outcome).toBe(expected(rules.redactionAuth ? upTo2 : "allow", rules));
  });
});

test("what lies in the state of an old room and cannot be read counts as absent", () => {
  const room = usualRoom({ version: "9" });
  room.set("m.room.power_levels", { users: 5, events: "x", ban: "y", users_default: null });
  room.set("m.room.join_rules", { join_rule: 1 });
  room.member(bob, "join");
  const kick = { type: "m.room.member", state_key: bob, content: { membership: "ban" } };
  expect(judge(room, kick)).toBe("4.6.3");
  expect(judge(room, { type: "m.room.message", sender: bob })).toBe("allow");
});
