import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../src/matrix/json.ts";
import { allowedRooms, isRestricted } from "../../src/matrix/restricted-joins.ts";
import { roomVersionRules, roomVersions } from "../../src/matrix/room-versions.ts";

describe("isRestricted", () => {
  const versionsWith = (joinRule: JsonValue | undefined) =>
    roomVersions.filter((version) => isRestricted(joinRule, roomVersionRules(version)!));

  test.each<[JsonValue | undefined, string[]]>([
    ["restricted", ["8", "9", "10", "11", "12"]],
    ["knock_restricted", ["10", "11", "12"]],
    ["public", []],
    [["restricted"], []],
    [undefined, []],
  ])("%j", (joinRule, versions) => expect(versionsWith(joinRule)).toEqual(versions));
});

describe("allowedRooms", () => {
  const condition = { type: "m.room_membership", room_id: "!a:h" };

  test.each<[what: string, allow: JsonValue | undefined, rooms: string[]]>([
    ["none", undefined, []],
    ["no list", condition, []],
    ["an empty list", [], []],
    ["a room", [condition], ["!a:h"]],
    ["a room twice", [condition, { ...condition }], ["!a:h"]],
    ["several", [{ ...condition, room_id: "!b:h" }, condition], ["!b:h", "!a:h"]],
    ["another kind", [{ ...condition, type: "org.example.paid" }], []],
    ["odd things beside a room", ["!b:h", null, { ...condition, room_id: 1 }, condition], ["!a:h"]],
  ])("%s", (_, allow, rooms) => expect(allowedRooms({ allow })).toEqual(rooms));
});
