import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/matrix/json.ts";
import { powerLevels, readLevel } from "../../src/matrix/power-levels.ts";
import { roomCreators } from "../../src/matrix/room-creators.ts";
import { roomVersionRules } from "../../src/matrix/room-versions.ts";
import { versions } from "./auth-rules/judge.ts";

const sender = "@sender:a.example";
const named = "@named:a.example";
const added = "@added:a.example";
const other = "@other:a.example";
const create = { sender, content: { creator: named, additional_creators: [added, 5] } };

const read = (version: string, content?: JsonObject) =>
  powerLevels(content, create, roomVersionRules(version)!);

test.each([
  ["1", [named]],
  ["10", [named]],
  ["11", [sender]],
  ["12", [sender, added]],
])("the creators of a v%s room are %j", (version, creators) => {
  expect(roomCreators(create, roomVersionRules(version)!)).toEqual(creators);
});

test.each([
  ["10", {}, []],
  ["10", { creator: 5 }, []],
  ["12", { additional_creators: "@x:y" }, [sender]],
])("the creators of a v%s room with %j are %j", (version, content, creators) => {
  expect(roomCreators({ sender, content }, roomVersionRules(version)!)).toEqual(creators);
});

describe.each(versions("1"))("v%s", (version) => {
  const creator = versions("1", "10").includes(version) ? named : sender;
  const isV12 = version === "12";

  test("without power levels the creator has 100 (from v12 on more than anybody), others 0", () => {
    const levels = read(version);
    expect(levels.userLevel(creator)).toBe(isV12 ? Number.POSITIVE_INFINITY : 100);
    expect(levels.userLevel(added)).toBe(isV12 ? Number.POSITIVE_INFINITY : 0);
    expect(levels.userLevel(other)).toBe(0);
    expect([levels.requiredFor("x", true), levels.requiredFor("x", false)]).toEqual([50, 0]);
    const alone = (["ban", "kick", "redact", "invite"] as const).map(levels.level);
    expect([...alone, levels.notificationLevel("room")]).toEqual([50, 50, 50, 0, 50]);
  });

  test("with power levels only v12 knows creators", () => {
    const levels = read(version, { users_default: 7, users: { [other]: 9 } });
    expect(levels.userLevel(creator)).toBe(isV12 ? Number.POSITIVE_INFINITY : 7);
    expect(levels.userLevel(other)).toBe(9);
    expect(read(version, {}).userLevel(other)).toBe(0);
  });

  test("an event's own level goes before the defaults, for state and messages alike", () => {
    const levels = read(version, { events: { x: 3 }, events_default: 1, state_default: 2 });
    const required = ["x", "y"].flatMap((type) =>
      [true, false].map((state) => levels.requiredFor(type, state)),
    );
    expect(required).toEqual([3, 3, 2, 1]);
  });

  test("names that every object has are not levels, and what cannot be read is not there", () => {
    const levels = read(version, { events: { z: "x" }, users: [], notifications: { room: 20 }, ban: {} });
    expect(levels.requiredFor("constructor", false)).toBe(0);
    expect(levels.requiredFor("__proto__", true)).toBe(50);
    expect(levels.requiredFor("z", true)).toBe(50);
    expect(levels.userLevel("length")).toBe(0);
    expect(levels.level("ban")).toBe(50);
    expect([levels.notificationLevel("room"), levels.notificationLevel("other")]).toEqual([20, 50]);
  });
});

// The forms of https://spec.matrix.org/v1.19/rooms/v1/#deprecated-event-content-schemas
test.each<
  [value: JsonValue, v1to5: number | undefined, v6to9: number | undefined, since10: number | undefined]
>([
  [50, 50, 50, 50],
  [-50, -50, -50, -50],
  [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1],
  [2 ** 53, 2 ** 53, undefined, undefined],
  [50.57, 50, undefined, undefined],
  [-50.57, -50, undefined, undefined],
  [5.114698e4, 51146, undefined, undefined],
  ["100", 100, 100, undefined],
  ["000100", 100, 100, undefined],
  ["+100", 100, 100, undefined],
  ["-100", -100, -100, undefined],
  [" 00100 ", 100, 100, undefined],
  [" +100 ", 100, 100, undefined],
  ["9007199254740991", 2 ** 53 - 1, 2 ** 53 - 1, undefined],
  ["9007199254740992", undefined, undefined, undefined],
  ["1.0", undefined, undefined, undefined],
  ["1e2", undefined, undefined, undefined],
  ["0x10", undefined, undefined, undefined],
  ["+-1", undefined, undefined, undefined],
  ["+ 1", undefined, undefined, undefined],
  ["1 2", undefined, undefined, undefined],
  ["", undefined, undefined, undefined],
  [" ", undefined, undefined, undefined],
  [true, undefined, undefined, undefined],
  [null, undefined, undefined, undefined],
  [[5], undefined, undefined, undefined],
  [{}, undefined, undefined, undefined],
])("the level %j", (value, v1to5, v6to9, since10) => {
  for (const version of versions("1")) {
    const want = versions("1", "5").includes(version)
      ? v1to5
      : versions("6", "9").includes(version)
        ? v6to9
        : since10;
    expect(readLevel(value, roomVersionRules(version)!)).toBe(want);
  }
});
