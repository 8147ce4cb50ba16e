import { describe, expect, test } from "vitest";
import { type NewEvent, noteOf, tagOf } from "../../../src/ui/notifications/note.ts";

const event: NewEvent = {
  room_id: "!r:h",
  type: "m.room.message",
  sender: "@bob:h",
  sender_display_name: "Bob",
  content: { body: "hi" },
  ts: 1,
  tweaks: {},
};

describe("a notification", () => {
  test("says who, where and what, and leads back to the room", () => {
    expect(noteOf("@me:h", { ...event, room_name: "Tea", tweaks: { sound: "default" } })).toEqual({
      title: "Bob (Tea)",
      options: {
        body: "hi",
        tag: tagOf("@me:h", "!r:h"),
        silent: false,
        data: { userId: "@me:h", roomId: "!r:h" },
      },
    });
  });

  test("is silent where the rules ask for no sound, and names who has no name", () => {
    const { sender_display_name: _, ...nameless } = event;
    expect(noteOf("@me:h", nameless)).toMatchObject({ title: "bob", options: { silent: true } });
  });

  test.each<[change: Partial<NewEvent>, words: string]>([
    [{ content: { body: "x".repeat(1_000) } }, "x".repeat(300)],
    [{ content: { body: 1 } }, "Something new"],
    [{ content: {} }, "Something new"],
    [{ type: "m.room.encrypted", content: { ciphertext: "?" } }, "An encrypted message"],
    [{ type: "m.room.member", content: { membership: "invite" } }, "Invites you to a room"],
    [{ type: "m.call.invite", content: {} }, "Is calling you"],
  ])("of %j says %s", (change, words) => {
    expect(noteOf("@me:h", { ...event, ...change }).options.body).toBe(words);
  });

  test("is one a room and account", () => {
    const tags = [tagOf("@me:h", "!r:h"), tagOf("@me:h", "!s:h"), tagOf("@you:h", "!r:h")];
    expect(new Set(tags).size).toBe(3);
  });
});
