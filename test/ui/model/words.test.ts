import { describe, expect, test } from "vitest";
import { hueOf, initials } from "../../../src/ui/model/avatar.ts";
import { explainError } from "../../../src/ui/model/explain-error.ts";
import { formatBytes } from "../../../src/ui/model/format-bytes.ts";
import { bootSentence, homeState } from "../../../src/ui/model/home-state.ts";
import { messageContent } from "../../../src/ui/model/message-content.ts";
import { newRoomOptions } from "../../../src/ui/model/new-room.ts";
import { generatePassword } from "../../../src/ui/model/password.ts";
import { compareRooms, type RoomSummary } from "../../../src/ui/model/room-summary.ts";
import { dayLabel, isSameDay, shortTime } from "../../../src/ui/model/times.ts";
import { typingWords } from "../../../src/ui/model/typing.ts";

test.each([
  ["Anna Karenina", "AK"],
  ["Anna von und zu Karenina", "AK"],
  ["bob", "B"],
  ["@bob", "B"],
  ["🧑‍🚀 Zoe", "🧑‍🚀Z"],
  ["", "?"],
])("the initials of %j are %s", (name, want) => expect(initials(name)).toBe(want));

test("a hue is the same each time, and in the circle", () => {
  const hues = Array.from({ length: 200 }, (_, index) => hueOf(`@user${index}:example.org`));
  expect(hues.every((hue) => hue >= 0 && hue < 360)).toBe(true);
  expect(new Set(hues).size).toBe(12);
  expect(hueOf("@user7:example.org")).toBe(hues[7]);
});

test.each([
  [[], ""],
  [["Anna"], "Anna is typing"],
  [["Anna", "Bob"], "Anna and Bob are typing"],
  [["Anna", "Bob", "Carol", "Dave"], "Anna, Bob and 2 more are typing"],
])("%j", (names, want) => expect(typingWords(names)).toBe(want));

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1000, "1.0 kB"],
  [9940, "9.9 kB"],
  [9960, "10 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [1.5e15, "1500 TB"],
])("%d is %s", (bytes, want) => expect(formatBytes(bytes)).toBe(want));

describe("the state of the homeserver", () => {
  test.each([
    ["ready", "live", "Running in this tab", "good"],
    ["following", "live", "Running in another tab", "good"],
    ["ready", "reconnecting", "Reconnecting", "busy"],
    ["starting", "reconnecting", "Starting", "busy"],
    ["failed", "live", "Could not start", "bad"],
  ] as const)("%s and %s", (phase, connection, words, tone) => {
    expect(homeState({ phase }, connection)).toEqual({ words, tone });
  });

  test("each phase has a sentence of its own", () => {
    const phases = ["installing", "starting", "ready", "following", "reload-needed", "failed"] as const;
    const sentences = phases.map((phase) => bootSentence({ phase }));
    expect(new Set(sentences).size).toBe(phases.length);
    expect(sentences.every((sentence) => sentence.endsWith("."))).toBe(true);
  });
});

describe("what goes wrong is explained", () => {
  const connectionError = Object.assign(new Error("fetch failed"), { name: "ConnectionError" });
  test.each([
    ["by its errcode", { errcode: "M_USER_IN_USE", data: { error: "taken" } }, /name is taken/],
    ["in the server's words", { errcode: "M_FORBIDDEN", data: { error: "Not you." } }, /^Not you\.$/],
    ["when nobody answers", new TypeError("Failed to fetch"), /did not answer/],
    ["when the SDK says that nobody answers", connectionError, /did not answer/],
    ["by its message", new Error("Odd."), /^Odd\.$/],
    ["when there is nothing to go by", null, /went wrong/],
    ["when an errcode is off the prototype", { errcode: "constructor", message: "Odd." }, /^Odd\.$/],
  ])("%s", (_, error, want) => expect(explainError(error)).toMatch(want));
});

describe("what is sent", () => {
  const plain = (text: string) => messageContent(text, null);
  test.each([
    ["Hello", { msgtype: "m.text", body: "Hello" }],
    ["  a\nb  ", { msgtype: "m.text", body: "a\nb" }],
    ["/me waves", { msgtype: "m.emote", body: "waves" }],
    ["/mean it", { msgtype: "m.text", body: "/mean it" }],
    ["/me", null],
    [" \n ", null],
  ])("%j", (written, want) => expect(plain(written)).toEqual(want));

  test("a reply points at its event and mentions its author", () => {
    expect(messageContent("Yes", { id: "$1", sender: "@bob:example.org" })).toEqual({
      msgtype: "m.text",
      body: "Yes",
      "m.relates_to": { "m.in_reply_to": { event_id: "$1" } },
      "m.mentions": { user_ids: ["@bob:example.org"] },
    });
  });
});

describe("a new room", () => {
  const draft = { name: "", topic: "", access: "private" as const, invite: ["@bob:example.org"] };
  test.each([
    ["one guest and no name", draft, { preset: "trusted_private_chat", is_direct: true }],
    ["one guest and a name", { ...draft, name: " Tea " }, { preset: "private_chat", name: "Tea" }],
    ["two guests", { ...draft, invite: ["@a:b", "@c:d"] }, { preset: "private_chat" }],
    ["public", { ...draft, access: "public" as const, topic: "T" }, { preset: "public_chat", topic: "T" }],
  ])("%s", (_, room, want) => {
    expect(newRoomOptions(room)).toEqual({ invite: room.invite, ...want });
  });
});

test("rooms: invitations first, then the newest, then by id", () => {
  const room = (roomId: string, ts: number, invited = false): RoomSummary => ({
    roomId,
    ts,
    invited,
    name: roomId,
    preview: "",
    unread: 0,
    highlights: 0,
    failed: false,
  });
  const rooms = [room("!c", 1), room("!b", 2), room("!a", 1), room("!d", 0, true)];
  expect(rooms.sort(compareRooms).map(({ roomId }) => roomId)).toEqual(["!d", "!b", "!a", "!c"]);
});

describe("times", () => {
  const at = (day: number, hour: number) => new Date(2026, 5, day, hour).getTime();
  const now = at(15, 12);

  test("days end at the user's midnight", () => {
    expect(isSameDay(at(15, 0), at(16, 0) - 1)).toBe(true);
    expect(isSameDay(at(15, 0), at(15, 0) - 1)).toBe(false);
  });

  test("days have names while they are near", () => {
    expect(dayLabel(at(15, 0), now)).toBe("Today");
    expect(dayLabel(at(14, 0), now)).toBe("Yesterday");
    expect(dayLabel(at(13, 23), now)).toMatch(/13/);
    expect(dayLabel(at(13, 23), now)).not.toMatch(/2026/);
    expect(dayLabel(new Date(2025, 5, 13).getTime(), now)).toMatch(/2025/);
  });

  test("the room list shows a time today, and a day of the month a week ago", () => {
    expect(shortTime(at(15, 9), now)).toMatch(/9/);
    expect(shortTime(at(12, 9), now)).not.toMatch(/\d/);
    expect(shortTime(at(8, 9), now)).toMatch(/8/);
  });
});

test("a generated password has 100 bits in groups that can be read aloud", () => {
  const bytes = (value: number) => (count: number) => new Uint8Array(count).fill(value);
  expect(generatePassword(bytes(0))).toBe("aaaa-aaaa-aaaa-aaaa-aaaa");
  expect(generatePassword(bytes(255))).toBe("9999-9999-9999-9999-9999");
  const all = Array.from({ length: 32 }, (_, value) => generatePassword(bytes(value)));
  expect(new Set(all).size).toBe(32);
  for (const password of all) expect(password).toMatch(/^([a-km-z2-9]{4}-){4}[a-km-z2-9]{4}$/);
});
