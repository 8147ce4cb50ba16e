import { describe, expect, test } from "vitest";
import { authorise } from "../../../src/matrix/auth-rules/authorise.ts";
import type { RuleName } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import type { JsonObject, JsonValue } from "../../../src/matrix/json.ts";
import { type EventFields, type TestRoom, usualRoom } from "../room-builder.ts";
import { expected, judge, versions } from "./judge.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";

const invite = (sender: string, content: JsonObject = {}): EventFields => ({
  type: "m.room.member",
  sender,
  state_key: bob,
  content: { membership: "invite", ...content },
});

describe.each(versions("1"))("v%s", (version) => {
  test.each<[was: string | undefined, want: "allow" | RuleName]>([
    [undefined, "allow"],
    ["leave", "allow"],
    ["invite", "allow"],
    ["knock", "allow"],
    ["join", "member.invite.target"],
    ["ban", "member.invite.target"],
  ])("inviting a user from %s: %s", (was, want) => {
    const room = usualRoom({ version });
    if (was !== undefined) room.member(bob, was);
    expect(judge(room, invite(room.creator))).toBe(expected(want, room.rules));
  });

  test.each<[membership: string | undefined, want: "allow" | RuleName]>([
    ["join", "allow"],
    ["invite", "member.invite.sender"],
    ["leave", "member.invite.sender"],
    [undefined, "member.invite.sender"],
  ])("a sender at %s invites: %s", (membership, want) => {
    const room = usualRoom({ version });
    if (membership !== undefined) room.member(alice, membership);
    expect(judge(room, invite(alice))).toBe(expected(want, room.rules));
  });

  test.each<[level: number, want: "allow" | RuleName]>([
    [30, "allow"],
    [29, "member.invite.otherwise"],
  ])("level %i invites where it takes 30: %s", (level, want) => {
    const room = usualRoom({ version, levels: { users: { [alice]: level }, invite: 30 } });
    room.member(alice, "join");
    expect(judge(room, invite(alice))).toBe(expected(want, room.rules));
  });
});

describe.each(versions("1"))("v%s, third-party invite", (version) => {
  const signed = { mxid: bob, token: "t0k3n", signatures: {} };
  const roomWithInvite = (): TestRoom => {
    const room = usualRoom({ version, levels: { users: { [alice]: 0 }, invite: 50 } });
    room.member(alice, "join");
    room.send({ type: "m.room.third_party_invite", sender: alice, state_key: "t0k3n" });
    return room;
  };
  const outcome = (room: TestRoom, thirdPartyInvite: JsonValue, sender = alice) => {
    const event = room.state("m.room.third_party_invite", "t0k3n");
    const facts = { signedThirdPartyInvites: new Set(event && [event.eventId]) };
    return judge(room, invite(sender, { third_party_invite: thirdPartyInvite }), facts);
  };

  test.each<[what: string, thirdPartyInvite: JsonValue, want: "allow" | RuleName]>([
    ["all in order", { signed }, "allow"],
    ["null", null, "member.invite.third_party.signed"],
    ["without signed", {}, "member.invite.third_party.signed"],
    ["with signed of a wrong form", { signed: "yes" }, "member.invite.third_party.signed"],
    ["without mxid", { signed: { token: "t0k3n" } }, "member.invite.third_party.mxid_token"],
    ["without token", { signed: { mxid: bob } }, "member.invite.third_party.mxid_token"],
    ["for somebody else", { signed: { ...signed, mxid: alice } }, "member.invite.third_party.mxid"],
    ["of an unknown token", { signed: { ...signed, token: "other" } }, "member.invite.third_party.event"],
  ])("%s: %s", (_, thirdPartyInvite, want) => {
    const room = roomWithInvite();
    expect(outcome(room, thirdPartyInvite)).toBe(expected(want, room.rules));
  });

  test("the sender must be the one who sent the third-party invite, in the room or not", () => {
    const room = roomWithInvite();
    const { rules, creator } = room;
    expect(outcome(room, { signed }, creator)).toBe(expected("member.invite.third_party.sender", rules));
    room.member(alice, "leave");
    expect(outcome(room, { signed })).toBe("allow");
  });

  test("a user who is banned stays out, one who is joined does not", () => {
    const room = roomWithInvite();
    room.member(bob, "join");
    expect(outcome(room, { signed })).toBe("allow");
    room.member(bob, "ban");
    expect(outcome(room, { signed })).toBe(expected("member.invite.third_party.banned", room.rules));
  });

  test("a signature that was found for another invite of the same token does not count", () => {
    const room = roomWithInvite();
    const event = room.event(invite(alice, { third_party_invite: { signed } }));
    const before = room.state("m.room.third_party_invite", "t0k3n")!.eventId;
    room.send({ type: "m.room.third_party_invite", sender: alice, state_key: "t0k3n", content: { a: 1 } });
    const want = expected("member.invite.third_party.otherwise", room.rules);
    expect(judge(room, event, { signedThirdPartyInvites: new Set([before]) })).toBe(want);
    expect(judge(room, event)).toBe(want);
  });
});

test.each([
  ["join", "The invited user is already in the room."],
  ["ban", "The invited user is banned from the room."],
])("the reason tells why a user at %s cannot be invited", (was, reason) => {
  const room = usualRoom();
  room.member(bob, was);
  const verdict = authorise(room.event(invite(room.creator)), room.rules, room.state);
  expect(verdict).toEqual({ outcome: "reject", rule: "5.4.3", reason });
});
