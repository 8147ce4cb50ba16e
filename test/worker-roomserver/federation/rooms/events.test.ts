import { describe, expect, test } from "vitest";
import { readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { roomVersionRules } from "../../../../src/matrix/room-versions.ts";
import { registerAt } from "../../support/node.ts";
import { federatedNode } from "../support/federated-node.ts";
import { askAs, type GuestEvent, joinAs, sendAs, signedBy } from "../support/guest.ts";
import { namedServer } from "../support/named-server.ts";
import { TestNetwork } from "../support/network.ts";

type Text = { pdus: { type: string; content: { body?: string } }[] };
type Missing = { events: Text["pdus"] };

const bodies = (events: Text["pdus"]) =>
  events.filter(({ type }) => type === "m.room.message").map(({ content }) => content.body);

/** A room of alice's in which a guest of another server is. */
async function sharedRoom(version = "12", settings: { type: string; content: object }[] = []) {
  const { node, serverName } = await federatedNode(new TestNetwork());
  const alice = await registerAt(node, "alice");
  const { room_id: roomId } = await node.room.createRoom(crypto.randomUUID(), alice, {
    ...{ preset: "public_chat", room_version: version },
    initial_state: settings as never,
  });
  const say = async (body: string) => {
    const content = { msgtype: "m.text", body };
    const event = { roomId, type: "m.room.message", txnId: crypto.randomUUID(), content };
    return (await node.room.sendEvent(alice, event)).event_id;
  };
  const early = await say("early");
  const guest = await namedServer();
  const joined = await joinAs(guest, node, roomId);
  const sender = `@guest:${guest.serverName}`;
  const reply = (body: string): GuestEvent => ({
    ...{ type: "m.room.message", sender, content: { msgtype: "m.text", body } },
  });
  const path = (question: string) => `/_matrix/federation/v1/${question}`;
  const room = encodeURIComponent(roomId);
  const ask = (question: string, content?: object) => askAs(guest, node, path(question), content as never);
  return { node, serverName, alice, roomId, room, say, early, guest, joined, sender, reply, ask, path };
}

const closed = [{ type: "m.room.history_visibility", content: { history_visibility: "joined" } }];

describe("an event that another server asks for", () => {
  test("is answered as it was sent, so that its hash and id are still its own", async () => {
    const { say, ask, node, serverName } = await sharedRoom();
    const eventId = await say("hello");
    const { status, text, body } = await ask(`event/${encodeURIComponent(eventId)}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ origin: serverName, pdus: [{ content: { body: "hello" } }] });
    expect(body.pdus).not.toHaveProperty("0.unsigned");
    const pdu = text.slice(text.indexOf("[") + 1, -2);
    const read = readReceivedEvent(pdu, roomVersionRules("12")!);
    expect([read.eventId, read.json]).toEqual([eventId, pdu]);
    expect(await node.roomQueries.eventsById([eventId])).toMatchObject([{ pdu: read.pdu }]);
  });

  test("has the text that it came with", async () => {
    const { node, guest, roomId, reply, ask } = await sharedRoom("5");
    const received = await signedBy(guest, node, roomId, reply("spaced"));
    const text = received.json.replaceAll('":', '": ');
    await node.roomInput.receive(roomId, [{ ...received, json: text }]);
    const answer = await ask(`event/${encodeURIComponent(received.eventId)}`);
    expect(answer.text).toContain(`[${text}]`);
  });

  test("is redacted where the server may not see it", async () => {
    const { early, ask } = await sharedRoom("12", closed);
    const { body } = await ask(`event/${encodeURIComponent(early)}`);
    expect(body).toMatchObject({ pdus: [{ type: "m.room.message", content: {} }] });
    expect(bodies((body as Text).pdus)).toEqual([undefined]);
  });

  test("is 404 where it is not known", async () => {
    const { ask } = await sharedRoom();
    expect(await ask("event/%24nothing")).toMatchObject({ status: 404, body: { errcode: "M_NOT_FOUND" } });
  });
});

describe("history that another server asks for", () => {
  test("backfill has the events and those before them, redacted where it may not see them", async () => {
    const { say, ask, room } = await sharedRoom("12", closed);
    const first = await say("first");
    const newest = await say("newest");
    const v = `v=${encodeURIComponent(newest)}&v=${encodeURIComponent(first)}`;
    const { body } = await ask(`backfill/${room}?${v}&limit=4`);
    expect(bodies((body as Text).pdus)).toEqual(["newest", "first", undefined]);
    const { body: one } = await ask(`backfill/${room}?v=${encodeURIComponent(newest)}&limit=1`);
    expect(bodies((one as Text).pdus)).toEqual(["newest"]);
  });

  test("missing events are those between", async () => {
    const { say, ask, room, early, joined } = await sharedRoom("12", closed);
    await say("between");
    const latest = await say("latest");
    const between = { earliest_events: [joined], latest_events: [latest] };
    const { body } = await ask(`get_missing_events/${room}`, between);
    expect(bodies((body as Missing).events)).toEqual(["between"]);
    const further = { earliest_events: [], latest_events: [joined], limit: 1, min_depth: 0 };
    expect((await ask(`get_missing_events/${room}`, further)).body).toMatchObject({
      events: [{ type: "m.room.message", content: {} }],
    });
    expect(early).not.toBe("");
  });

  test("the event of a time is found on the side that is asked for", async () => {
    const { ask, room, node, guest, roomId, reply } = await sharedRoom();
    const ts = Date.now() + 1_000_000;
    const eventId = await sendAs(guest, node, roomId, { ...reply("later"), origin_server_ts: ts });
    const at = (time: number, dir: string) => ask(`timestamp_to_event/${room}?ts=${time}&dir=${dir}`);
    expect((await at(ts - 5, "f")).body).toEqual({ event_id: eventId, origin_server_ts: ts });
    expect((await at(ts + 5, "b")).body).toEqual({ event_id: eventId, origin_server_ts: ts });
    expect(await at(ts + 5, "f")).toMatchObject({ status: 404, body: { errcode: "M_NOT_FOUND" } });
    expect(await at(ts, "x")).toMatchObject({ status: 400, body: { errcode: "M_INVALID_PARAM" } });
  });
});

describe("who may ask about a room", () => {
  const questions = (room: string, eventId: string): [string, object?][] => [
    [`event/${encodeURIComponent(eventId)}`],
    [`state/${room}?event_id=${encodeURIComponent(eventId)}`],
    [`state_ids/${room}?event_id=${encodeURIComponent(eventId)}`],
    [`event_auth/${room}/${encodeURIComponent(eventId)}`],
    [`backfill/${room}?v=${encodeURIComponent(eventId)}&limit=10`],
    [`get_missing_events/${room}`, { earliest_events: [], latest_events: [eventId] }],
    [`timestamp_to_event/${room}?ts=0&dir=f`],
  ];

  test("a server with a user in it may, and none else", async () => {
    const { node, room, ask, say, path } = await sharedRoom();
    const stranger = await namedServer();
    const eventId = await say("for members");
    for (const [question, content] of questions(room, eventId)) {
      expect([question, (await ask(question, content)).status]).toEqual([question, 200]);
      expect(await askAs(stranger, node, path(question), content as never)).toMatchObject({
        ...{ status: 403, body: { errcode: "M_FORBIDDEN" } },
      });
    }
  });

  test("one that the access control list keeps out may not, nor one whose user has left", async () => {
    const { node, alice, roomId, room, ask, say, guest, sender } = await sharedRoom();
    const eventId = await say("for members");
    const acl = { allow: ["*"], deny: [guest.serverName] };
    const state = { roomId, type: "m.room.server_acl", stateKey: "" };
    await node.room.setState(crypto.randomUUID(), alice, { ...state, content: acl });
    for (const [question, content] of questions(room, eventId)) {
      expect([question, (await ask(question, content)).status]).toEqual([question, 403]);
    }
    await node.room.setState(crypto.randomUUID(), alice, { ...state, content: { allow: ["*"] } });
    expect((await ask(questions(room, eventId)[0]![0])).status).toBe(200);
    const kick = { roomId, action: "kick" as const, target: sender };
    await node.room.changeMembership(crypto.randomUUID(), alice, kick);
    for (const [question, content] of questions(room, eventId)) {
      expect([question, (await ask(question, content)).status]).toEqual([question, 403]);
    }
  });

  test("of a room that is not known it is told no more than of one that it is not in", async () => {
    const { ask } = await sharedRoom();
    const unknown = encodeURIComponent(`!${"a".repeat(43)}`);
    expect(await ask(`state_ids/${unknown}?event_id=x`)).toMatchObject({
      ...{ status: 403, body: { errcode: "M_FORBIDDEN" } },
    });
  });
});
