import { describe, expect, test } from "vitest";
import { authTypesFor } from "../../../../../src/matrix/auth-events.ts";
import type { JsonObject, JsonValue } from "../../../../../src/matrix/json.ts";
import { roomVersionRules } from "../../../../../src/matrix/room-versions.ts";
import { refEvent } from "../../../../reference/events.ts";
import { makeEvent } from "../../../../reference/make-event.ts";
import { refusal } from "../../../support/requester.ts";
import { type TestRooms, testRooms } from "../../../support/room.ts";
import { asking, takeIn } from "./asked-room.ts";

const far = "@far:far.example";
const version = "11";

const room = async (t: TestRooms, who: string, body: object = {}) =>
  (
    await t.rooms.createRoom(t.request(), t.user(who), {
      room_version: version,
      preset: "public_chat",
      ...body,
    })
  ).room_id;

/** Lets somebody of another server come or go. */
async function remoteMember(t: TestRooms, roomId: string, userId: string, membership: string): Promise<void> {
  const rules = roomVersionRules(version)!;
  const intent = { type: "m.room.member", state_key: userId, content: { membership } };
  const { ask } = await asking(t);
  const front = await ask.latest(roomId, authTypesFor({ sender: userId, ...intent }, rules));
  const event = makeEvent(rules, userId, intent, {
    roomId,
    prev: front.extremities.map(({ pdu }) => refEvent(pdu, rules)),
    auth: front.state.map(({ pdu }) => refEvent(pdu, rules)),
    time: Date.now(),
    number: 0,
  });
  await takeIn(t, roomId, [event]);
}

const member = (roomId: JsonValue): JsonObject => ({ type: "m.room_membership", room_id: roomId });

async function restrict(
  t: TestRooms,
  roomId: string,
  allow: JsonValue,
  joinRule = "restricted",
): Promise<void> {
  await t.rooms.setState(t.request(), t.user("alice"), {
    roomId,
    type: "m.room.join_rules",
    stateKey: "",
    content: { join_rule: joinRule, allow },
  });
}

async function restrictedJoin(t: TestRooms, roomId: string, userId: string) {
  return (await asking(t)).ask.restrictedJoin(roomId, userId);
}

const failed = { errcode: "M_FORBIDDEN", status: 403 };
const cannotTell = { errcode: "M_UNABLE_TO_AUTHORISE_JOIN", status: 400 };
const cannotGrant = { errcode: "M_UNABLE_TO_GRANT_JOIN", status: 400 };

/** A room, and a space whose members may join it. */
async function restricted(joinRule?: string, roomVersion = version) {
  const t = await testRooms();
  const space = await room(t, "alice");
  const target = await room(t, "alice", { room_version: roomVersion });
  await restrict(t, target, [member(space)], joinRule);
  return { t, space, target };
}

describe("a user of another server", () => {
  test("who is in the room that is named is vouched for by somebody who may invite", async () => {
    const { t, space, target } = await restricted();
    await remoteMember(t, space, far, "join");
    expect(await restrictedJoin(t, target, far)).toEqual({ authorisedBy: t.user("alice").userId });
  });

  test("who is not in it is refused", async () => {
    const { t, space, target } = await restricted();
    expect(await refusal(restrictedJoin(t, target, far))).toEqual(failed);
    await remoteMember(t, space, far, "join");
    await remoteMember(t, space, far, "leave");
    expect(await refusal(restrictedJoin(t, target, far))).toEqual(failed);
  });

  test("may be in a room that is not known here", async () => {
    const { t, space, target } = await restricted();
    await restrict(t, target, [member(space), member("!unknown:far.example")]);
    expect(await refusal(restrictedJoin(t, target, far))).toEqual(cannotTell);
    await remoteMember(t, space, far, "join");
    expect(await restrictedJoin(t, target, far)).toEqual({ authorisedBy: t.user("alice").userId });
  });

  test("may have left a room that everybody here has left", async () => {
    const { t, space, target } = await restricted();
    await remoteMember(t, space, far, "join");
    const alice = t.user("alice");
    await t.rooms.changeMembership(t.request(), alice, {
      roomId: space,
      action: "leave",
      target: alice.userId,
    });
    expect(await refusal(restrictedJoin(t, target, far))).toEqual(cannotTell);
  });

  test("is told to ask elsewhere if nobody here may invite", async () => {
    const { t, space, target } = await restricted();
    await remoteMember(t, space, far, "join");
    const content = { users: { [t.user("alice").userId]: 50 }, invite: 51, state_default: 50 };
    const levels = { roomId: target, type: "m.room.power_levels", stateKey: "", content };
    await t.rooms.setState(t.request(), t.user("alice"), levels);
    expect(await refusal(restrictedJoin(t, target, far))).toEqual(cannotGrant);
  });

  test("who is invited or joined needs nobody", async () => {
    const { t, target } = await restricted();
    await restrict(t, target, [], "public");
    await remoteMember(t, target, far, "join");
    await restrict(t, target, []);
    expect(await restrictedJoin(t, target, far)).toEqual({});
    const bob = t.user("bob").userId;
    const invite = { roomId: target, action: "invite" as const, target: bob };
    await t.rooms.changeMembership(t.request(), t.user("alice"), invite);
    expect(await restrictedJoin(t, target, bob)).toEqual({});
  });
});

test.each<[what: string, allow: JsonValue]>([
  ["no conditions", []],
  ["no list of conditions", "all"],
  ["conditions of another kind only", [{ type: "org.example.paid", room_id: "!a:b" }]],
  ["conditions of a wrong form only", [null, 1, "x", member(1), { type: "m.room_membership" }]],
])("%s let nobody in", async (_, allow) => {
  const { t, target } = await restricted();
  await restrict(t, target, allow);
  expect(await refusal(restrictedJoin(t, target, far))).toEqual(failed);
});

test.each([
  ["public", version],
  ["invite", version],
  ["restricted", "7"],
  ["knock_restricted", "9"],
])("the join rule %s in version %s needs nobody", async (joinRule, roomVersion) => {
  const { t, target } = await restricted(joinRule, roomVersion);
  expect(await restrictedJoin(t, target, far)).toEqual({});
});

test("knock_restricted is as restricted from version 10 on", async () => {
  const { t, space, target } = await restricted("knock_restricted", "10");
  expect(await refusal(restrictedJoin(t, target, far))).toEqual(failed);
  await remoteMember(t, space, far, "join");
  expect(await restrictedJoin(t, target, far)).toEqual({ authorisedBy: t.user("alice").userId });
});

test("of its own users this server knows all rooms", async () => {
  const { t, target } = await restricted();
  await restrict(t, target, [member("!unknown:far.example")]);
  expect(await refusal(restrictedJoin(t, target, t.user("bob").userId))).toEqual(failed);
});

test("of more rooms than can be looked at it cannot tell, unless the user is known to be in one", async () => {
  const { t, space, target } = await restricted();
  const rooms = await Promise.all(Array.from({ length: 60 }, () => room(t, "alice")));
  await restrict(t, target, [...rooms, space].map(member));
  expect(await refusal(restrictedJoin(t, target, far))).toEqual(cannotTell);
  await remoteMember(t, space, far, "join");
  expect(await restrictedJoin(t, target, far)).toEqual({ authorisedBy: t.user("alice").userId });
});

test("a room that is not known has no joins", async () => {
  const t = await testRooms();
  expect(await refusal(restrictedJoin(t, "!no:room", far))).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
});
