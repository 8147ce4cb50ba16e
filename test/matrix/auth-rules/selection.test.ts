import { describe, expect, test } from "vitest";
import type { RuleName } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import { checkAuthEventsSelection, type KnownAuthEvent } from "../../../src/matrix/auth-rules/selection.ts";
import type { JsonValue } from "../../../src/matrix/json.ts";
import { usualRoom } from "../room-builder.ts";
import { brief, expected, versions } from "./judge.ts";

describe.each(versions("1"))("v%s", (version) => {
  const room = usualRoom({ version });
  const { rules } = room;
  const topic = room.set("m.room.topic", { topic: "x" });
  const message = room.send({ type: "m.room.message" });
  const reference = (eventId: string): JsonValue =>
    rules.eventIdFormat === "domain" ? [eventId, {}] : eventId;
  const selected = (type: string, stateKey = "") => room.state(type, stateKey)!.eventId;
  const usual = [
    ...(rules.roomIdIsCreateHash ? [] : [selected("m.room.create")]),
    selected("m.room.power_levels"),
    selected("m.room.member", room.creator),
  ];

  /** The outcome for a message whose auth events are these. */
  const outcome = (ids: string[], change: (event: KnownAuthEvent) => KnownAuthEvent = (event) => event) => {
    const known = room.events.map((event) => change({ ...event, rejected: false }));
    const event = room.event({ type: "m.room.message", pdu: { auth_events: ids.map(reference) } });
    return brief(checkAuthEventsSelection(event.pdu, rules, known));
  };
  const want = (name: "allow" | RuleName) => expected(name, rules);

  test("what the room selects passes, in any order, and so does less", () => {
    expect(outcome(usual)).toBe("allow");
    expect(outcome([...usual].reverse())).toBe("allow");
    expect(outcome(usual.filter((id) => id !== selected("m.room.power_levels")))).toBe("allow");
  });

  test("the create event is a must up to v11 and a must not from v12 on", () => {
    const create = selected("m.room.create");
    const others = usual.filter((id) => id !== create);
    expect(outcome(others)).toBe(want(rules.roomIdIsCreateHash ? "allow" : "auth_events.create"));
    expect(outcome([...others, create])).toBe(
      want(rules.roomIdIsCreateHash ? "auth_events.selection" : "allow"),
    );
  });

  test("two events for one entry of the state", () => {
    const again = room.set("m.room.power_levels", { ban: 1 });
    expect(outcome([...usual, again.eventId])).toBe(want("auth_events.duplicate"));
    expect(outcome([...usual, usual[0]!])).toBe(want("auth_events.duplicate"));
  });

  test("an event that the selection does not ask for, or that is no state, or that nobody knows", () => {
    expect(outcome([...usual, topic.eventId])).toBe(want("auth_events.selection"));
    expect(outcome([...usual, message.eventId])).toBe(want("auth_events.selection"));
    const unknown = rules.eventIdFormat === "domain" ? "$no:a.example" : `$${"a".repeat(43)}`;
    expect(outcome([...usual, unknown])).toBe(want("auth_events.selection"));
  });

  test("an event that was rejected itself", () => {
    const rejectedOne = (event: KnownAuthEvent) => ({ ...event, rejected: event.eventId === usual[1] });
    expect(outcome(usual, rejectedOne)).toBe(want("auth_events.rejected"));
    const rejectedOther = (event: KnownAuthEvent) => ({
      ...event,
      rejected: event.eventId === topic.eventId,
    });
    expect(outcome(usual, rejectedOther)).toBe("allow");
  });

  test("an event of another room", () => {
    const elsewhere = (event: KnownAuthEvent) =>
      event.eventId === usual[1] ? { ...event, pdu: { ...event.pdu, room_id: "!x:a.example" } } : event;
    expect(outcome(usual, elsewhere)).toBe(want("auth_events.room_id"));
  });

  test("a create event has no auth events to check", () => {
    expect(brief(checkAuthEventsSelection(room.create.pdu, rules, []))).toBe("allow");
  });
});
