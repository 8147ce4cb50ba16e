import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventIdOf } from "../../src/matrix/hashes.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import { redact } from "../../src/matrix/redaction.ts";
import { roomVersionRules } from "../../src/matrix/room-versions.ts";
import { versions } from "./auth-rules/judge.ts";
import { usualRoom } from "./room-builder.ts";

const redactedContent = (type: string, content: JsonObject, version: string) =>
  redact({ type, content }, roomVersionRules(version)!).content;

const all = versions("1");

// What the page of each version keeps of the content, by version, and that what is named beside it goes.
const kept: [type: string, keys: string[], versions: string[]][] = [
  ["m.room.member", ["membership"], all],
  ["m.room.member", ["join_authorised_via_users_server"], versions("9")],
  ["m.room.create", ["creator"], all],
  ["m.room.create", ["room_version", "m.federate", "anything"], versions("11")],
  ["m.room.join_rules", ["join_rule"], all],
  ["m.room.join_rules", ["allow"], versions("8")],
  [
    "m.room.power_levels",
    "ban events events_default kick redact state_default users users_default".split(" "),
    all,
  ],
  ["m.room.power_levels", ["invite"], versions("11")],
  ["m.room.power_levels", ["notifications"], []],
  ["m.room.aliases", ["aliases"], versions("1", "5")],
  ["m.room.history_visibility", ["history_visibility"], all],
  ["m.room.redaction", ["redacts"], versions("11")],
  ["m.room.redaction", ["reason"], []],
  ["m.room.message", ["body", "msgtype"], []],
  ["m.room.name", ["name"], []],
  ["constructor", ["name"], []],
];
describe.each(all)("v%s", (version) => {
  test.each(kept)("%s: %j", (type, keys, having) => {
    const content = { ...Object.fromEntries(keys.map((key) => [key, { deep: [key] }])), "m.other": 1 };
    const { "m.other": other, ...rest } = redactedContent(type, content, version) as JsonObject;
    expect(rest).toEqual(
      having.includes(version) ? Object.fromEntries(keys.map((key) => [key, { deep: [key] }])) : {},
    );
    expect(other).toBe(type === "m.room.create" && versions("11").includes(version) ? 1 : undefined);
  });

  test("of the event itself", () => {
    const names = [
      ..."event_id type room_id sender state_key hashes signatures depth prev_events auth_events".split(" "),
      "origin_server_ts",
    ];
    const upTo10 = ["prev_state", "origin", "membership"];
    const goes = ["unsigned", "redacts", "age", "__proto__", "toString"];
    const pdu = Object.fromEntries([...names, ...upTo10, ...goes].map((name) => [name, name]));
    const stays = versions("1", "10").includes(version) ? [...names, ...upTo10] : names;
    expect(redact(pdu, roomVersionRules(version)!)).toEqual(
      Object.fromEntries(stays.map((name) => [name, name])),
    );
  });
});

// From v11 on only `signed` stays of third_party_invite. That the object stays without it is what Synapse does
// (prune_event_dict); the spec does not say.
test.each<[content: JsonObject, since11: JsonObject]>([
  [
    { third_party_invite: { signed: { a: 1 }, display_name: "x" } },
    { third_party_invite: { signed: { a: 1 } } },
  ],
  [{ third_party_invite: { display_name: "x" } }, { third_party_invite: {} }],
  [{ third_party_invite: "x" }, {}],
  [{ third_party_invite: null }, {}],
  [{ third_party_invite: [{ signed: 1 }] }, {}],
])("a membership event with %j", (content, since11) => {
  for (const version of all) {
    const want = versions("11").includes(version) ? since11 : {};
    expect(redactedContent("m.room.member", content, version)).toEqual(want);
  }
});

test("an event as clients see it keeps what it has, and nothing is made up", () => {
  const event = {
    type: "m.room.message",
    event_id: "$x",
    sender: "@a:b",
    content: { body: "x" },
    unsigned: { age: 1 },
  };
  const before = structuredClone(event);
  const want = { type: "m.room.message", event_id: "$x", sender: "@a:b", content: {} };
  expect(redact(event, roomVersionRules("11")!)).toEqual(want);
  expect(event).toEqual(before);
  expect(redact({ type: "m.room.message" }, roomVersionRules("11")!)).toEqual({ type: "m.room.message" });
});

const types = "member create join_rules power_levels aliases history_visibility redaction message";
const arbitraryEvent = fc.record({
  version: fc.constantFrom(...all),
  type: fc.constantFrom(...types.split(" ").map((type) => `m.room.${type}`)),
  content: fc.dictionary(
    fc.constantFrom(
      "membership",
      "creator",
      "allow",
      "users",
      "third_party_invite",
      "redacts",
      "body",
      "__proto__",
    ),
    fc.oneof(fc.integer(), fc.string({ unit: "grapheme" }), fc.constant({ signed: { a: 1 }, b: 2 })),
    { noNullPrototype: true },
  ),
});

test("redaction is idempotent and leaves the event id as it is", () => {
  fc.assert(
    fc.property(arbitraryEvent, ({ version, type, content }) => {
      const { rules, ...room } = usualRoom({ version });
      const pdu: JsonObject = { ...room.create.pdu, type, content, origin: "a.example", redacts: "$a:b" };
      const once = redact(pdu, rules);
      expect(redact(once, rules)).toEqual(once);
      expect(eventIdOf(once, rules)).toBe(eventIdOf(pdu, rules));
    }),
  );
});

test.each<[event: JsonObject, want: JsonObject]>([
  [
    { type: "m.room.member", content: "x" },
    { type: "m.room.member", content: {} },
  ],
  [
    { type: "m.room.create", content: [1] },
    { type: "m.room.create", content: {} },
  ],
  [
    { type: 5, content: { membership: "join" } },
    { type: 5, content: {} },
  ],
  [{ content: { membership: "join" } }, { content: {} }],
  [
    { type: "m.room.member", content: {} },
    { type: "m.room.member", content: {} },
  ],
])("%j has no content to keep", (event, want) => {
  expect(redact(event, roomVersionRules("11")!)).toStrictEqual(want);
});
