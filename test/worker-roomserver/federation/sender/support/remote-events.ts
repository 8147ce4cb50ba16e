import { authTypesFor } from "../../../../../src/matrix/auth-events.ts";
import { domainOf } from "../../../../../src/matrix/domain.ts";
import type { JsonObject, JsonValue } from "../../../../../src/matrix/json.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../../../src/matrix/received-event.ts";
import { roomVersionRules } from "../../../../../src/matrix/room-versions.ts";
import { finishEvent } from "../../../../../src/matrix/signing.ts";
import type { RoomInput, WholeRoom } from "../../../../../src/worker-roomserver/room/input/api.ts";
import type { RoomQueries } from "../../../../../src/worker-roomserver/room/query/graph/api.ts";
import { newKey } from "../../support/peer.ts";

type Room = { roomQueries: RoomQueries; roomInput: RoomInput };
type Fields = { type: string; sender: string; stateKey?: string; content: JsonObject };

const key = await newKey("ed25519:test");

/** An event that a user of another server sends to a room, upon where it stands. Signed by anybody. */
export async function eventOf(
  { roomQueries }: Pick<Room, "roomQueries">,
  roomId: string,
  { type, sender, stateKey, content }: Fields,
): Promise<ReceivedEvent> {
  const { roomVersion } = await roomQueries.latest(roomId, []);
  const rules = roomVersionRules(roomVersion)!;
  const subject = { type, sender, content, ...(stateKey !== undefined && { state_key: stateKey }) };
  const front = await roomQueries.latest(roomId, authTypesFor(subject, rules));
  const auth = front.state.filter(({ pdu }) => !rules.roomIdIsCreateHash || pdu.type !== "m.room.create");
  const draft = {
    ...{ ...subject, room_id: roomId, origin_server_ts: Date.now(), depth: front.depth + 1 },
    prev_events: front.extremities.map(({ eventId }): JsonValue => eventId),
    auth_events: auth.map(({ eventId }): JsonValue => eventId),
  };
  const { json } = await finishEvent(draft, rules, domainOf(sender)!, key);
  return readReceivedEvent(json, rules);
}

export const membership = (userId: string, is: string, sender = userId): Fields => ({
  ...{ type: "m.room.member", sender, stateKey: userId, content: { membership: is } },
});

/** Lets an event from elsewhere into the room, as who receives transactions would. */
export async function comesIn(
  room: Room,
  roomId: string,
  fields: Fields,
  options: Parameters<RoomInput["receive"]>[2] = {},
): Promise<ReceivedEvent> {
  const event = await eventOf(room, roomId, fields);
  const [verdict] = await room.roomInput.receive(roomId, [event], options);
  if (verdict?.outcome !== "accepted") throw new Error(`not accepted: ${JSON.stringify(verdict)}`);
  return event;
}

/** A room as a server that is in it gives it to who joins, with that join. */
export async function wholeRoom(
  { roomQueries }: Pick<Room, "roomQueries">,
  roomId: string,
  userId: string,
): Promise<WholeRoom> {
  const join = membership(userId, "join");
  // With the name that the user has at home: that node would otherwise send another join, with it, at once.
  const displayname = userId.slice(1, userId.indexOf(":"));
  const named = { ...join, content: { ...join.content, displayname } };
  const event = await eventOf({ roomQueries }, roomId, named);
  const { roomVersion, extremities } = await roomQueries.latest(roomId, []);
  const rules = roomVersionRules(roomVersion)!;
  const newest = extremities[0]!.eventId;
  const state = await roomQueries.stateAt(roomId, newest, { when: "after" });
  const authChain = await roomQueries.authChain(
    roomId,
    state.map(({ eventId }) => eventId),
  );
  const read = (events: typeof state) =>
    events.map(({ pdu }) => readReceivedEvent(JSON.stringify(pdu), rules));
  return { version: roomVersion, event, state: read(state), authChain: read(authChain) };
}
