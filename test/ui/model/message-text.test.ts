import { describe, expect, test } from "vitest";
import { messageText, previewOf, withoutReplyFallback } from "../../../src/ui/model/message-text.ts";
import { shortName } from "../../../src/ui/model/names.ts";
import { message } from "./event.ts";

describe("what a message says", () => {
  test.each([
    ["text", { msgtype: "m.text", body: "Hi" }, { kind: "text", body: "Hi" }],
    ["an emote", { msgtype: "m.emote", body: "waves" }, { kind: "emote", body: "waves" }],
    ["a notice", { msgtype: "m.notice", body: "Beep" }, { kind: "notice", body: "Beep" }],
    ["an image", { msgtype: "m.image", body: "cat.png" }, { kind: "file", body: "Image: cat.png" }],
    ["a nameless file", { msgtype: "m.file" }, { kind: "file", body: "File" }],
    ["an unknown type", { msgtype: "org.example.poem", body: "Roses" }, { kind: "text", body: "Roses" }],
    ["a type off the prototype", { msgtype: "constructor", body: "x" }, { kind: "text", body: "x" }],
    ["no body", { msgtype: "m.text" }, { kind: "gone", body: "A message without text" }],
    ["a body that is no string", { body: { a: 1 } }, { kind: "gone", body: "A message without text" }],
  ])("%s", (_, content, want) => expect(messageText(message({ content }))).toEqual(want));

  test("a redacted message keeps nothing of its text", () => {
    expect(messageText(message({ redacted: true })).body).toBe("Message deleted");
  });

  test("an encrypted message says so", () => {
    expect(messageText(message({ type: "m.room.encrypted" })).kind).toBe("gone");
  });
});

describe("the reply fallback", () => {
  test.each([
    ["> <@bob:example.org> Tea?\n> Or coffee?\n\nTea", "Tea"],
    ["> <@bob:example.org> Tea?\nTea", "Tea"],
    ["> a quote of mine\n\nTea", "> a quote of mine\n\nTea"],
    ["> <@bob:example.org> only this", "> <@bob:example.org> only this"],
    ["Tea", "Tea"],
  ])("%j becomes %j", (body, want) => expect(withoutReplyFallback(body)).toBe(want));

  test("is only looked for in replies", () => {
    const content = { msgtype: "m.text", body: "> <@bob:example.org> Tea?\n\nTea" };
    expect(messageText(message({ content, replyTo: "$1" })).body).toBe("Tea");
    expect(messageText(message({ content })).body).toBe(content.body);
  });
});

describe("the preview in the room list", () => {
  const bob = "@bob:example.org";

  test.each([
    ["of somebody else", { sender: bob }, "bob: Hello"],
    ["of one's own", {}, "You: Hello"],
    ["an emote", { sender: bob, content: { msgtype: "m.emote", body: "waves" } }, "bob waves"],
    ["several lines", { sender: bob, content: { msgtype: "m.text", body: "a\n\n b" } }, "bob: a b"],
    ["redacted", { sender: bob, redacted: true }, "Message deleted"],
  ])("%s", (_, change, want) => {
    expect(previewOf(message(change), "@alice:example.org", shortName)).toBe(want);
  });
});
