import { describe, expect, test } from "vitest";
import { mayDo, mayDoTo, maySend, powerOf, roleOf, roomPower } from "../../../src/ui/model/power.ts";
import type { Content } from "../../../src/ui/model/timeline-event.ts";

const [alice, bob, carol] = ["@alice:example.org", "@bob:example.org", "@carol:example.org"];
const room = (version: string, levels: Content | null, more: Content = {}) =>
  roomPower({ sender: alice, content: { room_version: version, ...more } }, levels);

describe("power", () => {
  test.each([
    ["a creator of version 11 without levels", room("11", null), alice, 100],
    ["anyone else there", room("11", null), bob, 0],
    ["a creator of version 11 whom the levels leave out", room("11", { users: {} }), alice, 0],
    ["a creator of version 12", room("12", { users: {} }), alice, Number.POSITIVE_INFINITY],
    [
      "a further creator of version 12",
      room("12", {}, { additional_creators: [bob, 7] }),
      bob,
      Number.POSITIVE_INFINITY,
    ],
    ["a further creator of version 11", room("11", {}, { additional_creators: [bob] }), bob, 0],
    ["one who is listed", room("11", { users: { [bob]: 50 } }), bob, 50],
    ["one who is listed as a string", room("9", { users: { [bob]: " 50 " } }), bob, 50],
    ["one who is not", room("11", { users_default: 10 }), bob, 10],
    ["one who is named like a prototype's member", room("11", { users: {} }), "constructor", 0],
    ["anyone in a room without a create event", roomPower(null, null), alice, 0],
  ])("of %s", (_, power, userId, want) => expect(powerOf(power, userId)).toBe(want));
});

describe("who may do what", () => {
  const levels = { users: { [alice]: 100, [bob]: 50, [carol]: 50 }, invite: 50, kick: 50, ban: 60 };
  const power = room("11", levels);

  test.each<[string, boolean, boolean]>([
    ["invites at the level", mayDo(power, bob, "invite"), true],
    ["invites below it", mayDo(power, "@dave:example.org", "invite"), false],
    ["invites where nothing is said", mayDo(room("11", {}), bob, "invite"), true],
    ["redacts at the default of 50", mayDo(power, bob, "redact"), true],
    ["kicks an equal", mayDoTo(power, bob, "kick", carol), false],
    ["kicks one below", mayDoTo(power, bob, "kick", "@dave:example.org"), true],
    ["bans below the level", mayDoTo(power, bob, "ban", "@dave:example.org"), false],
    ["an admin bans", mayDoTo(power, alice, "ban", bob), true],
    ["an admin kicks a creator of version 12", mayDoTo(room("12", levels), bob, "kick", alice), false],
  ])("%s", (_, allowed, want) => expect(allowed).toBe(want));

  test.each<[string, Content | null, string, boolean, boolean]>([
    ["a message where nothing is said", {}, "m.room.message", false, true],
    ["a message in a room for announcements", { events_default: 1 }, "m.room.message", false, false],
    [
      "a message type with its own level",
      { events: { "m.room.message": 1 } },
      "m.room.message",
      false,
      false,
    ],
    ["state where nothing is said", {}, "m.room.topic", true, false],
    ["state in a room without levels", null, "m.room.topic", true, true],
    ["state for everyone", { state_default: 0 }, "m.room.topic", true, true],
  ])("%s", (_, content, type, isState, want) => {
    expect(maySend(room("11", content), bob, type, isState)).toBe(want);
  });
});

test.each([
  [{ users: { [bob]: 100 } }, "Admin"],
  [{ users: { [bob]: 99 } }, "Moderator"],
  [{ users: { [bob]: 50 } }, "Moderator"],
  [{ users: { [bob]: 49 } }, "Member"],
  [{ users: { [bob]: -1 } }, "Muted"],
])("with %j bob is %s", (levels, want) => expect(roleOf(room("11", levels), bob)).toBe(want));
