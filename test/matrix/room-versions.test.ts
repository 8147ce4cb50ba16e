import { expect, test } from "vitest";
import {
  defaultRoomVersion,
  type RoomVersionRules,
  roomVersionRules,
  roomVersions,
} from "../../src/matrix/room-versions.ts";

test("versions 1 to 12 are known, all stable, and 12 is the default", () => {
  expect(roomVersions).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
  expect(roomVersions.map((id) => roomVersionRules(id)?.id)).toEqual(roomVersions);
  expect(new Set(roomVersions.map((id) => roomVersionRules(id)?.stability))).toEqual(new Set(["stable"]));
  expect(defaultRoomVersion).toBe("12");
});

test.each(["0", "13", "", "01", "constructor", "org.matrix.msc2176"])("%j is not known", (id) => {
  expect(roomVersionRules(id)).toBeUndefined();
});

// The feature matrix, https://spec.matrix.org/v1.19/rooms/#feature-matrix, and the pages' lists of changes.
test.each<[property: keyof RoomVersionRules, first: number, last: number]>([
  ["specialCaseAliasesAuth", 1, 5],
  ["redactionAuth", 1, 2],
  ["enforceKeyValidity", 5, 12],
  ["strictCanonicalJson", 6, 12],
  ["notificationsPowerLevels", 6, 12],
  ["knocking", 7, 12],
  ["restrictedJoins", 8, 12],
  ["knockRestricted", 10, 12],
  ["integerPowerLevels", 10, 12],
  ["creatorIsSender", 11, 12],
  ["redactsInContent", 11, 12],
  ["privilegedCreators", 12, 12],
  ["roomIdIsCreateHash", 12, 12],
])("%s holds from v%i to v%i", (property, first, last) => {
  const having = roomVersions.filter((id) => roomVersionRules(id)?.[property]).map(Number);
  expect(having).toEqual(Array.from({ length: last - first + 1 }, (_, index) => first + index));
});

test.each<[property: "eventIdFormat" | "stateResolution", byVersion: string[]]>([
  ["eventIdFormat", ["domain", "domain", "base64", ...Array<string>(9).fill("base64url")]],
  ["stateResolution", ["v1", ...Array<string>(10).fill("v2"), "v2.1"]],
])("%s", (property, byVersion) => {
  expect(roomVersions.map((id) => roomVersionRules(id)?.[property])).toEqual(byVersion);
});
