import { expect, test } from "vitest";
import type { JsonValue } from "../../../src/matrix/json.ts";
import { isCondition, isKnownAction } from "../../../src/matrix/push-rules/shapes.ts";

test.each<[action: JsonValue, want: boolean]>([
  ["notify", true],
  ["dont_notify", true],
  ["coalesce", true],
  ["shout", false],
  [{ set_tweak: "sound", value: "default" }, true],
  [{ set_tweak: "org.example.light" }, true],
  [{ set_tweak: 1 }, false],
  [{}, false],
  [[], false],
  [null, false],
])("%j as an action: %j", (action, want) => expect(isKnownAction(action)).toBe(want));

test.each<[condition: JsonValue, want: boolean]>([
  [{ kind: "event_match", key: "type", pattern: "x" }, true],
  [{ kind: "org.example.moon", phase: [1] }, true],
  [{ kind: "event_property_is", key: "content.x", value: null }, true],
  [{ kind: "event_property_is", key: "content.x", value: [] }, false],
  [{ kind: "event_match", key: 1 }, false],
  [{ kind: "event_match", pattern: {} }, false],
  [{ kind: "room_member_count", is: 2 }, false],
  [{ key: "type" }, false],
  ["event_match", false],
])("%j as a condition: %j", (condition, want) => expect(isCondition(condition)).toBe(want));
