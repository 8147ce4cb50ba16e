import { expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { json } from "../../support/room.ts";
import { endlessAnswer, hugeAnswer, rawAnswer } from "../support/misbehaviour.ts";
import { Peer } from "../support/peer.ts";
import type { PeerAnswer } from "../support/peer-api.ts";
import type { PeerEvent, PeerRoom } from "../support/peer-room.ts";
import { act, asked, joinedRooms, type Meeting, meeting, refusal } from "./joining.ts";

const SEND_JOIN = "/_matrix/federation/v2/send_join/{roomId}/{eventId}";
const MAKE_JOIN = "/_matrix/federation/v1/make_join/{roomId}/{userId}";

const pdus = (events: readonly PeerEvent[]): JsonObject[] => events.map(({ pdu }) => pdu);

type Told = { state: JsonObject[]; auth_chain: JsonObject[]; event: JsonObject };

/** Has the peer answer joins with something else than the room that it has. */
function tells(
  { peer }: Meeting,
  room: PeerRoom,
  lie: (truth: Told) => PeerAnswer | Promise<PeerAnswer>,
): void {
  peer.override("PUT", SEND_JOIN, ({ text }) => {
    const before = room.stateBefore();
    const event = room.add(readReceivedEvent(text, room.rules));
    return lie({
      ...{ state: pdus(before), auth_chain: pdus(room.authChain([...before, event])) },
      event: event.pdu,
    });
  });
}

const isNot = (type: string) => (pdu: JsonObject) => pdu.type !== type;

test.each<[string, (given: Meeting, room: PeerRoom, truth: Told) => PeerAnswer | Promise<PeerAnswer>]>([
  ["nothing", () => ({})],
  ["no object", () => rawAnswer("[]")],
  ["no JSON", () => rawAnswer('{"state":[')],
  ["no lists", () => ({ state: {}, auth_chain: 1 })],
  ["an empty room", () => ({ state: [], auth_chain: [] })],
  [
    "a room without its create event",
    (_, __, { state, auth_chain }) => ({
      state: state.filter(isNot("m.room.create")),
      auth_chain: auth_chain.filter(isNot("m.room.create")),
    }),
  ],
  [
    "the state of another room",
    async ({ peer }) => {
      const other = await peer.createRoom();
      return { state: pdus(other.stateBefore()), auth_chain: pdus(other.stateBefore()) };
    },
  ],
  [
    "a room of another version",
    async ({ peer }) => {
      const other = await peer.createRoom({ version: "11" });
      return { state: pdus(other.stateBefore()), auth_chain: pdus(other.stateBefore()) };
    },
  ],
  [
    "a room in which all is signed by somebody else",
    (_, __, { state, auth_chain }) => {
      const forged = (pdu: JsonObject) => ({
        ...pdu,
        signatures: JSON.parse(
          JSON.stringify(pdu.signatures).replaceAll(/:"[^"]{4}/g, ':"AAAA'),
        ) as JsonObject,
      });
      return { state: state.map(forged), auth_chain: auth_chain.map(forged) };
    },
  ],
  [
    "a room that is closed to the user",
    async ({ alice }, room, told) => {
      const { auth_chain } = told;
      const state = told.state.filter(({ state_key }) => state_key !== alice.userId);
      const closed = await room.make({
        type: "m.room.join_rules",
        state_key: "",
        content: { join_rule: "invite" },
      });
      return { state: [...state.filter(isNot("m.room.join_rules")), closed.pdu], auth_chain };
    },
  ],
])("a server that tells %s has nobody joined, and the next is asked", async (_, lie) => {
  const given = await meeting();
  const { network, home, alice, peer } = given;
  const room = await peer.createRoom();
  tells(given, room, (truth) => lie(given, room, truth));
  expect(await refusal(act(home.node, alice, "join", room.roomId))).toMatchObject({ status: 502 });
  expect(await joinedRooms(home.node, alice)).toEqual([]);
  expect(await home.node.storage.getAll("rooms")).toEqual([]);

  const honest = await Peer.open(network);
  honest.rooms.set(room.roomId, room);
  const servers = [peer.serverName, honest.serverName];
  await act(home.node, alice, "join", room.roomId, { servers });
  expect(asked(given, "send_join").slice(1)).toEqual(servers);
  expect(await joinedRooms(home.node, alice)).toEqual([room.roomId]);
});

test.each<[string, (room: PeerRoom) => Promise<PeerEvent>]>([
  ["not signed", (room) => room.make({ ...topic, bad: "unsigned" })],
  ["signed with another key", (room) => room.make({ ...topic, bad: "signature" })],
  ["sent by who may not", (room) => room.make({ ...topic, sender: `@nobody:${room.creator.split(":")[1]}` })],
  [
    "of another room",
    (room) => room.make({ ...topic, pdu: { room_id: `!other:${room.creator.split(":")[1]}` } }),
  ],
  [
    "of a wrong form",
    async () => ({ eventId: "", json: "", pdu: { type: "m.room.topic", state_key: "" } as never }),
  ],
])("state that is %s is left out, and the room taken in", async (_, make) => {
  const given = await meeting();
  const { home, alice, peer } = given;
  const room = await peer.createRoom();
  const bad = await make(room);
  tells(given, room, ({ state, auth_chain, event }) => ({ state: [...state, bad.pdu], auth_chain, event }));
  await act(home.node, alice, "join", room.roomId);
  const state = json(await home.node.room.state(alice, room.roomId)) as unknown as JsonObject[];
  expect(state.map(({ type }) => type).sort()).toEqual([
    ...["m.room.create", "m.room.history_visibility", "m.room.join_rules"],
    ...["m.room.member", "m.room.member", "m.room.power_levels"],
  ]);
});

const topic = { type: "m.room.topic", state_key: "", content: { topic: "forged" } };

test("content that is not what was hashed is taken for redacted", async () => {
  const given = await meeting();
  const { home, alice, peer } = given;
  const room = await peer.createRoom();
  const changed = await room.make({ ...topic, bad: "hash" });
  tells(given, room, ({ state, ...rest }) => ({ ...rest, state: [...state, changed.pdu] }));
  await act(home.node, alice, "join", room.roomId);
  const key = { roomId: room.roomId, type: "m.room.topic", stateKey: "", format: "content" } as const;
  expect(await home.node.room.stateEvent(alice, key)).toEqual({});
});

test("an id that comes with an event counts for nothing", async () => {
  const given = await meeting();
  const { home, alice, peer } = given;
  const room = await peer.createRoom();
  const { pdu } = await room.send({ ...topic, content: { topic: "true" } });
  const claimed = room.state("m.room.create")?.eventId ?? "";
  tells(given, room, ({ state, ...rest }) => ({ ...rest, state: [{ ...pdu, event_id: claimed }, ...state] }));
  await act(home.node, alice, "join", room.roomId);
  const [create] = await home.node.roomQueries.eventsById([claimed]);
  expect(create?.pdu.type).toBe("m.room.create");
});

test("a hundred thousand things that are no events are left out", { timeout: 60_000 }, async () => {
  const given = await meeting();
  const { home, alice, peer } = given;
  const room = await peer.createRoom();
  const junk = Array.from({ length: 100_000 }, () => ({}));
  tells(given, room, ({ state, auth_chain }) => ({ state: [...junk, ...state], auth_chain }));
  await act(home.node, alice, "join", room.roomId);
  expect(await joinedRooms(home.node, alice)).toEqual([room.roomId]);
  expect((await home.node.storage.getAll("events")).length).toBeLessThan(20);
});

test.each<[string, () => PeerAnswer]>([
  ["endless", endlessAnswer],
  ["huge", () => hugeAnswer(1024 * 1024)],
])("a template that is %s is not waited for", async (_, answer) => {
  const given = await meeting();
  const { home, alice, peer } = given;
  const room = await peer.createRoom();
  peer.override("GET", MAKE_JOIN, answer);
  expect(await refusal(act(home.node, alice, "join", room.roomId))).toMatchObject({ status: 502 });
  expect(asked(given, "send_join")).toEqual([]);
});

test.each<[string, JsonObject]>([
  ["another room", { room_id: "!other:example.org" }],
  ["another user", { sender: "@mallory:example.org" }],
  ["another member", { state_key: "@mallory:example.org" }],
  ["another type", { type: "m.room.power_levels" }],
  ["another membership", { content: { membership: "ban" } }],
  ["too many predecessors", { prev_events: Array.from({ length: 21 }, () => `$${"a".repeat(43)}`) }],
  ["no place", { prev_events: "x" }],
  ["no depth", { depth: 1.5 }],
])("a template of %s is not signed", async (_, wrong) => {
  const given = await meeting();
  const { home, alice, peer } = given;
  const room = await peer.createRoom();
  peer.override("GET", MAKE_JOIN, ({ params }) => {
    const { userId = "" } = params;
    const member = { type: "m.room.member", sender: userId, state_key: userId };
    const event = room.draft({ ...member, content: { membership: "join" } });
    return { room_version: room.version, event: { ...event, ...wrong } };
  });
  expect(await refusal(act(home.node, alice, "join", room.roomId))).toMatchObject({
    ...{ status: 502, errcode: "M_UNKNOWN" },
  });
  expect(asked(given, "send_join")).toEqual([]);
});

test("what else a template says is not taken over", async () => {
  const given = await meeting();
  const { home, alice, peer } = given;
  const room = await peer.createRoom();
  peer.override("GET", MAKE_JOIN, ({ params }) => {
    const { userId = "" } = params;
    const member = { type: "m.room.member", sender: userId, state_key: userId };
    const content = { membership: "join", displayname: "Fool", "org.example.oath": "I owe" };
    const event = room.draft({ ...member, content });
    return {
      room_version: room.version,
      event: { ...event, origin_server_ts: 1, unsigned: { a: 1 }, more: 1 },
    };
  });
  await act(home.node, alice, "join", room.roomId);
  const { pdu } = room.state("m.room.member", alice.userId)!;
  expect(pdu.content).toEqual({ membership: "join", displayname: "alice" });
  expect(pdu.origin_server_ts).toBeGreaterThan(1);
  expect(Object.keys(pdu)).not.toContain("more");
});

test("a version that is not supported is said so", async () => {
  const { home, alice, peer } = await meeting();
  const room = await peer.createRoom();
  peer.override("GET", MAKE_JOIN, () => ({ room_version: "org.example.99", event: {} }));
  expect(await refusal(act(home.node, alice, "join", room.roomId))).toMatchObject({
    ...{ status: 400, errcode: "M_UNSUPPORTED_ROOM_VERSION" },
  });
});
