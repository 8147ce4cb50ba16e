import { describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { Pdu } from "../../../../src/matrix/pdu.ts";
import { signEvent } from "../../../../src/matrix/signing.ts";
import type { OpenNode } from "../../../../src/worker-roomserver/node/node.ts";
import type { Requester } from "../../../../src/worker-roomserver/node/requester.ts";
import { json } from "../../support/room.ts";
import { namedServer } from "../support/named-server.ts";
import { GuestRoom } from "./guest-room.ts";
import { GuestServer, hosting, isSignedBy, sendInvite } from "./guest-server.ts";

type Stripped = { type: string; state_key: string; sender: string; content: JsonObject };
type Synced = {
  next_batch: string;
  rooms?: {
    invite?: { [roomId: string]: { invite_state: { events: Stripped[] } } };
    leave?: { [roomId: string]: { timeline: { events: JsonObject[] } } };
    join?: { [roomId: string]: JsonObject };
  };
};

async function sync(node: OpenNode, who: Requester, since?: string): Promise<Synced> {
  const query = { fullState: false, setPresence: "offline", timeout: 0, stateSection: "state" } as const;
  const bytes = await node.sync.sync(who, { ...query, ...(since && { since }) }, crypto.randomUUID());
  return json(bytes) as unknown as Synced;
}

async function inviting(version = "10") {
  const given = await hosting();
  const room = await GuestRoom.of(given.guests, version);
  const invite = await room.invite(given.alice.userId);
  return {
    ...given,
    room,
    invite,
    send: (over: JsonObject = {}) => sendInvite(given.guests, room, invite, over),
  };
}

describe("an invite to a room that nobody here knows", () => {
  test.each(["1", "6", "10", "12"])(
    "of version %s is signed, and shown to whom it is for",
    async (version) => {
      const { node, alice, room, invite, send } = await inviting(version);
      const before = await sync(node.node, alice);
      const { status, json: body } = await send();
      expect(status).toBe(200);
      const event = body.event as Pdu;
      expect(await isSignedBy(node.serverName, event, version)).toBe(true);
      expect({ ...event, signatures: {} }).toEqual({ ...invite.pdu, signatures: {} });
      expect(event.signatures).toMatchObject(invite.pdu.signatures);
      for (const since of [before.next_batch, undefined]) {
        const { rooms } = await sync(node.node, alice, since);
        const { events } = rooms!.invite![room.roomId]!.invite_state;
        expect(events.map(({ type, state_key: key }) => [type, key])).toEqual([
          ["m.room.create", ""],
          ["m.room.name", ""],
          ["m.room.join_rules", ""],
          ["m.room.member", room.owner],
          ["m.room.member", alice.userId],
        ]);
        expect(events[1]).toMatchObject({ content: { name: "Far away" }, sender: room.owner });
        expect(Object.keys(events[0]!)).not.toContain("signatures");
      }
      expect(
        (await sync(node.node, alice, (await sync(node.node, alice)).next_batch)).rooms?.invite ?? {},
      ).toEqual({});
    },
  );

  test("is there when the tab is closed at once, and answered the same again", async () => {
    const { node, alice, room, guests, send } = await inviting();
    const { text } = await send();
    const next = await node.reopen();
    guests.node = next;
    expect((await sync(next.node, alice)).rooms!.invite![room.roomId]).toBeDefined();
    const { position } = next.node.storage;
    expect((await send()).text).toBe(text);
    expect(next.node.storage.position).toBe(position);
  });

  test("is told to sliding sync, and to those who show notifications", async () => {
    const { node, alice, room, send } = await inviting();
    const { next } = await node.node.push.watch(alice, undefined, 0);
    await send();
    const query = {
      ...{ timeout: 0, setPresence: "offline" },
      lists: {
        all: { timeline_limit: 1, required_state: [], ranges: [[0, 9]], filters: { room_name_like: "FAR" } },
      },
    } as never;
    const answer = json(await node.node.sync.sliding(alice, query, crypto.randomUUID())) as JsonObject;
    const told = (answer.rooms as JsonObject)[room.roomId] as JsonObject;
    expect(told).toMatchObject({ membership: "invite", initial: true });
    expect((told.invite_state as Stripped[]).map(({ type }) => type)).toContain("m.room.name");

    await vi.waitFor(async () => {
      const { notifications } = await node.node.push.watch(alice, next, 0);
      expect(notifications).toMatchObject([
        { room_id: room.roomId, sender: room.owner, room_name: "Far away", sender_display_name: "Owner" },
      ]);
    });
  });

  test("comes by the first version of the endpoint as well", async () => {
    const { node, alice, guests, room, invite } = await inviting("2");
    const state = room.told.map(({ pdu: { type, state_key = "", sender, content } }) => ({
      ...{ type, state_key, sender, content },
    }));
    const uri = `/_matrix/federation/v1/invite/${room.roomId}/${invite.eventId}`;
    const answer = await guests.ask("PUT", uri, { ...invite.pdu, unsigned: { invite_room_state: state } });
    const [status, { event }] = JSON.parse(answer.text) as [number, { event: Pdu }];
    expect(status).toBe(200);
    expect(await isSignedBy(node.serverName, event, "2")).toBe(true);
    const { invite: invites } = (await sync(node.node, alice)).rooms!;
    expect(invites![room.roomId]!.invite_state.events).toHaveLength(5);
  });

  test("takes the place of one that came before", async () => {
    const { node, alice, guests, room, send } = await inviting();
    await send();
    await room.set("m.room.name", { name: "Nearer" });
    const again = await room.invite(alice.userId, { reason: "Please" });
    const since = (await sync(node.node, alice)).next_batch;
    expect((await sendInvite(guests, room, again)).status).toBe(200);
    const { events } = (await sync(node.node, alice, since)).rooms!.invite![room.roomId]!.invite_state;
    expect(events[1]).toMatchObject({ content: { name: "Nearer" } });
    expect(events.at(-1)).toMatchObject({ content: { reason: "Please" } });
  });
});

describe("an invite is refused", () => {
  test.each<
    [
      string,
      number,
      string,
      (given: Awaited<ReturnType<typeof inviting>>) => Promise<{ status: number; json: JsonObject }>,
    ]
  >([
    [
      "of a version that is not known",
      400,
      "M_INCOMPATIBLE_ROOM_VERSION",
      ({ send }) => send({ room_version: "99" }),
    ],
    [
      "without a version",
      400,
      "M_MISSING_PARAM",
      async ({ guests, room, invite }) =>
        guests.ask("PUT", `/_matrix/federation/v2/invite/${room.roomId}/${invite.eventId}`, {
          event: invite.pdu,
        }),
    ],
    [
      "for nobody",
      404,
      "M_NOT_FOUND",
      async ({ guests, room, node }) =>
        sendInvite(guests, room, await room.invite(`@nobody:${node.serverName}`)),
    ],
    [
      "for a user elsewhere",
      400,
      "M_INVALID_PARAM",
      async ({ guests, room }) => sendInvite(guests, room, await room.invite("@alice:other.example")),
    ],
    [
      "by a user elsewhere",
      400,
      "M_INVALID_PARAM",
      async ({ room, invite, node }) => sendInvite(new GuestServer(node, await namedServer()), room, invite),
    ],
    [
      "that is a join",
      400,
      "M_INVALID_PARAM",
      async ({ guests, room, alice }) =>
        sendInvite(guests, room, await room.invite(alice.userId, { membership: "join" })),
    ],
    [
      "under another id",
      400,
      "M_INVALID_PARAM",
      ({ guests, room, invite }) => sendInvite(guests, room, { ...invite, eventId: `$${"a".repeat(43)}` }),
    ],
    [
      "to another room",
      400,
      "M_INVALID_PARAM",
      ({ guests, room, invite }) =>
        sendInvite(guests, { ...room, roomId: "!other:example.org", version: "10", told: [] }, invite),
    ],
    [
      "with content that was not hashed",
      400,
      "M_INVALID_PARAM",
      async ({ alice, guests, room }) => {
        const { eventId, pdu } = await room.invite(alice.userId, { reason: "?" });
        const content = { membership: "invite", reason: "!" };
        return sendInvite(guests, room, { eventId, pdu: { ...pdu, content } });
      },
    ],
    [
      "with a wrong signature",
      400,
      "M_INVALID_PARAM",
      async ({ invite, guests, room, send }) => {
        const { key } = await namedServer();
        return send({
          event: await signEvent({ ...invite.pdu, signatures: {} }, room.rules, guests.serverName, key),
        });
      },
    ],
    [
      "by who takes none",
      403,
      "M_INVITE_BLOCKED",
      async ({ node, alice, send }) => {
        await node.node.accountData.set(alice, alice.userId, null, "m.invite_permission_config", {
          default_action: "block",
        });
        return send();
      },
    ],
  ])("%s", async (_, status, errcode, send) => {
    const given = await inviting();
    const answer = await send(given);
    expect({ status: answer.status, errcode: answer.json.errcode }).toEqual({ status, errcode });
    expect((await sync(given.node.node, given.alice)).rooms?.invite ?? {}).toEqual({});
  });

  test.each<[string, (room: GuestRoom, guests: GuestServer) => Promise<unknown[]>]>([
    ["lacks the create event", async (room) => room.told.slice(1).map(({ pdu }) => pdu)],
    [
      "has an event of another room",
      async (room, guests) => [
        ...room.told.map(({ pdu }) => pdu),
        (await GuestRoom.of(guests, "12")).told[1]!.pdu,
      ],
    ],
    [
      "has another room's create event",
      async (_, guests) => (await GuestRoom.of(guests, "12")).told.map(({ pdu }) => pdu),
    ],
    [
      "has an event with a wrong signature",
      async (room, guests) => {
        const { key } = await namedServer();
        const [create, name] = room.told.map(({ pdu }) => pdu);
        return [create, await signEvent({ ...name!, signatures: {} }, room.rules, guests.serverName, key)];
      },
    ],
  ])("where what it tells of the room %s, if that can be proved", async (_, state) => {
    for (const version of ["11", "12"]) {
      const { guests, room, send, alice, node } = await inviting(version);
      const { status, json: body } = await send({
        invite_room_state: (await state(room, guests)) as JsonObject[],
      });
      expect([status, body.errcode]).toEqual(version === "12" ? [400, "M_INVALID_PARAM"] : [200, undefined]);
      const shown = (await sync(node.node, alice)).rooms?.invite?.[room.roomId]?.invite_state.events ?? [];
      // A room of before the proof is not called what its server cannot show to be its own word.
      if (version === "11")
        expect(shown.filter(({ content }) => content.name === "Far away").length).toBeLessThan(2);
      else expect(shown).toEqual([]);
    }
  });
});

test("an invite to a room that somebody from here is in is the room's to judge", async () => {
  const { node, alice, guests, create } = await hosting();
  const roomId = await create({ preset: "public_chat" });
  const bob = guests.user("bob");
  await guests.enter("join", roomId, bob);
  const { json: template } = await guests.make("leave", roomId, bob);
  const draft = template.event as JsonObject;
  const invite = await guests.sign(
    { ...draft, state_key: alice.userId, content: { membership: "invite" } },
    template.room_version as string,
  );
  const room = { roomId, version: template.room_version as string, told: [] };
  // Who is in the room already cannot be invited.
  expect(await sendInvite(guests, room, invite)).toMatchObject({
    status: 403,
    json: { errcode: "M_FORBIDDEN" },
  });
  expect((await sync(node.node, alice)).rooms!.join![roomId]).toBeDefined();
});
