import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { isReplaceable, isValidReplacement, latestReplacement } from "../../src/matrix/replacements.ts";

type Fields = { type?: string; sender?: string; state_key?: string; content?: JsonObject };

const event = (eventId: string, fields: Fields) => ({
  eventId,
  pdu: { type: "m.room.message", sender: "@a:h", content: { body: "x" }, ...fields },
});
const relates = (rel_type: string, event_id: string) => ({ "m.relates_to": { rel_type, event_id } });
const edit = (fields: Fields = {}) =>
  event("$edit", {
    content: { body: "* y", "m.new_content": { body: "y" }, ...relates("m.replace", "$it") },
    ...fields,
  });

describe("a replacement", () => {
  const encrypted = { type: "m.room.encrypted", content: { ciphertext: "x" } };
  const encryptedEdit = { type: "m.room.encrypted", content: relates("m.replace", "$it") };
  const bare = { content: relates("m.replace", "$it") };

  test.each<[what: string, original: Fields, replacement: Fields, isValid: boolean]>([
    ["of one's own message", {}, {}, true],
    ["of another msgtype", { content: { msgtype: "m.text" } }, {}, true],
    ["of somebody else's message", { sender: "@b:h" }, {}, false],
    ["of another type", { type: "m.sticker" }, {}, false],
    ["of a state event", { type: "m.room.topic", state_key: "" }, { type: "m.room.topic" }, false],
    ["that is a state event", {}, { state_key: "" }, false],
    ["of an edit", { content: relates("m.replace", "$first") }, {}, false],
    ["of a reply in a thread", { content: relates("m.thread", "$root") }, {}, true],
    ["without new content", {}, bare, false],
    ["whose new content is no object", {}, { content: { ...bare.content, "m.new_content": "y" } }, false],
    ["of an encrypted event by an encrypted one", encrypted, encryptedEdit, true],
    ["of an encrypted event by one that is not", encrypted, {}, false],
    ["of an event by an encrypted one", {}, encryptedEdit, false],
    ["of another event", {}, { content: { "m.new_content": {}, ...relates("m.replace", "$other") } }, false],
    [
      "by another relation",
      {},
      { content: { "m.new_content": {}, ...relates("m.reference", "$it") } },
      false,
    ],
  ])("%s", (_, original, replacement, isValid) => {
    expect(isValidReplacement(event("$it", original), edit(replacement))).toBe(isValid);
  });

  test("is not asked for of state events and edits", () => {
    expect(isReplaceable(event("$it", {}))).toBe(true);
    expect(isReplaceable(event("$it", { state_key: "" }))).toBe(false);
    expect(isReplaceable(edit())).toBe(false);
  });
});

test("property: the replacement that counts is the same in whatever order they come", () => {
  const candidates = fc.uniqueArray(
    fc.record({
      eventId: fc.string({ minLength: 1, maxLength: 3 }),
      ts: fc.integer({ min: 0, max: 3 }),
    }),
    { selector: ({ eventId }) => eventId, minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(candidates, fc.infiniteStream(fc.nat()), (all, shuffle) => {
      const events = all.map(({ eventId, ts }) => ({ eventId, pdu: { origin_server_ts: ts } }));
      const latest = latestReplacement(events)!;
      const shuffled = [...events]
        .map((each) => ({ each, key: shuffle.next().value! }))
        .sort((a, b) => a.key - b.key)
        .map(({ each }) => each);
      expect(latestReplacement(shuffled)).toBe(latest);
      for (const { eventId, pdu } of events) {
        const { origin_server_ts: ts } = latest.pdu;
        expect(pdu.origin_server_ts < ts || (pdu.origin_server_ts === ts && eventId <= latest.eventId)).toBe(
          true,
        );
      }
    }),
  );
  expect(latestReplacement([])).toBeUndefined();
});
