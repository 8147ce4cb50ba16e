import { describe, expect, test } from "vitest";
import { shortName } from "../../../src/ui/model/names.ts";
import { stateText } from "../../../src/ui/model/state-text.ts";
import type { Content } from "../../../src/ui/model/timeline-event.ts";
import { membership, message } from "./event.ts";

const bob = "@bob:example.org";
const by = { sender: "@alice:example.org" };

describe("membership", () => {
  test.each([
    ["joins", membership(bob, "join"), "bob joined"],
    ["accepts", membership(bob, "join", "invite"), "bob joined"],
    ["joins again unchanged", membership(bob, "join", "join"), null],
    ["is invited", membership(bob, "invite", undefined, by), "alice invited bob"],
    ["declines", membership(bob, "leave", "invite"), "bob declined the invitation"],
    ["invitation taken back", membership(bob, "leave", "invite", by), "alice took back bob's invitation"],
    ["leaves", membership(bob, "leave", "join"), "bob left"],
    ["is removed", membership(bob, "leave", "join", by), "alice removed bob"],
    ["is banned", membership(bob, "ban", "join", by), "alice banned bob"],
    ["ban lifted", membership(bob, "leave", "ban", by), "alice lifted the ban of bob"],
    ["knocks", membership(bob, "knock"), "bob asked to join"],
    ["no longer knocks", membership(bob, "leave", "knock"), "bob no longer asks to join"],
    ["is turned down", membership(bob, "leave", "knock", by), "alice turned bob down"],
    ["does what nobody knows", membership(bob, "dance"), null],
  ])("%s", (_, event, want) => expect(stateText(event, shortName)).toBe(want));

  test("a reason is given", () => {
    const event = membership(bob, "ban", "join", { ...by, content: { membership: "ban", reason: "spam" } });
    expect(stateText(event, shortName)).toBe("alice banned bob: spam");
  });

  test.each<[string, Content, Content, string | null]>([
    ["renames", { displayname: "Bob" }, { displayname: "Bobby" }, "Bob is now called Bobby"],
    ["gets a name", {}, { displayname: "Bob" }, "bob is now called Bob"],
    ["drops the name", { displayname: "Bob" }, {}, "Bob removed their name"],
    ["changes the picture", {}, { avatar_url: "mxc://x/y" }, "bob changed their picture"],
  ])("who is inside and %s", (_, before, after, want) => {
    const event = membership(bob, "join", "join", {
      content: { membership: "join", ...after },
      prevContent: { membership: "join", ...before },
    });
    expect(stateText(event, shortName)).toBe(want);
  });
});

test.each<[string, Content, Content | undefined, string | null]>([
  ["m.room.create", {}, undefined, "alice created the room"],
  ["m.room.name", { name: "Tea" }, undefined, "alice named the room “Tea”"],
  ["m.room.name", { name: "" }, { name: "Tea" }, "alice removed the room's name"],
  ["m.room.name", { name: 7 }, undefined, "alice removed the room's name"],
  ["m.room.topic", { topic: "Leaves" }, undefined, "alice set the topic: Leaves"],
  ["m.room.power_levels", {}, undefined, null],
  ["m.room.power_levels", {}, {}, "alice changed who may do what"],
  ["org.example.unknown", {}, {}, null],
])("%s %j after %j", (type, content, prevContent, want) => {
  const before = prevContent === undefined ? {} : { prevContent };
  expect(stateText(message({ type, stateKey: "", content, ...before }), shortName)).toBe(want);
});
