import { expect, test } from "vitest";
import { authContent } from "../../src/matrix/auth-content.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import type { Pdu } from "../../src/matrix/pdu.ts";

const event = (type: string, content: JsonObject, stateKey: string | undefined = "") =>
  ({ type, content, ...(stateKey !== undefined && { state_key: stateKey }) }) as Pdu;

const signed = { mxid: "@bob:b", token: "t", signatures: {} };

test.each<[string, JsonObject, JsonObject | undefined]>([
  [
    "m.room.member",
    { membership: "join", displayname: "Bob", join_authorised_via_users_server: "@alice:a" },
    { membership: "join", join_authorised_via_users_server: "@alice:a" },
  ],
  [
    "m.room.member",
    { membership: "invite", third_party_invite: { display_name: "b...@e...", signed } },
    { membership: "invite", third_party_invite: { signed } },
  ],
  ["m.room.member", { third_party_invite: 5 }, { third_party_invite: 5 }],
  [
    "m.room.power_levels",
    { invite: 50, users: { "@a:a": 100 }, events: {}, notifications: { room: 1 }, other: "text" },
    { invite: 50, users: { "@a:a": 100 }, events: {}, notifications: { room: 1 } },
  ],
  ["m.room.join_rules", { join_rule: "invite", allow: [] }, { join_rule: "invite" }],
  [
    "m.room.third_party_invite",
    {
      display_name: "b",
      public_key: "K",
      public_keys: [{ public_key: "L", key_validity_url: "u" }, 3],
    },
    { public_key: "K", public_keys: [{ public_key: "L" }] },
  ],
  ["m.room.topic", { topic: "secret" }, undefined],
])("of %s %j the rules read %j", (type, content, read) => {
  expect(authContent(event(type, content))).toEqual(read);
});

test("what is no state event authorises nothing", () => {
  expect(authContent({ type: "m.room.member", content: { membership: "join" } } as unknown as Pdu)).toBe(
    undefined,
  );
});
