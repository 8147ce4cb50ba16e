import { forbidden, notFound } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import { parsePositionToken } from "../../node/tokens.ts";
import type { StoredEvent } from "../api.ts";
import { clientEvent } from "../client-event.ts";
import type { RoomParts } from "../parts.ts";
import type { SnapshotChain } from "../snapshots.ts";
import { accessTo } from "./access.ts";
import { snapshotAt } from "./timeline.ts";

/** `GET /rooms/{roomId}/state` */
export async function roomState(parts: RoomParts, requester: Requester, roomId: string): Promise<JsonBytes> {
  const { state } = await accessTo(parts, requester, roomId);
  const events = await parts.events.get(state.entries());
  return jsonBytes(events.map((event) => clientEvent(event, requester, "full", parts.now())));
}

/** `GET /rooms/{roomId}/state/{eventType}/{stateKey}` */
export async function stateEvent(
  parts: RoomParts,
  requester: Requester,
  key: { roomId: string; type: string; stateKey: string; format: "content" | "event" },
): Promise<JsonObject> {
  const { state } = await accessTo(parts, requester, key.roomId);
  const nid = await entryOf(parts, state, key.type, key.stateKey);
  if (nid === undefined) throw notFound(`The room has no state event ${key.type} with that state key.`);
  const event = await parts.events.getOne(nid);
  return key.format === "event" ? clientEvent(event, requester, "full", parts.now()) : event.pdu.content;
}

/** `GET /rooms/{roomId}/members` */
export async function members(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  query: { at?: string | undefined; membership?: string | undefined; not_membership?: string | undefined },
): Promise<JsonBytes> {
  const access = await accessTo(parts, requester, roomId);
  const state = query.at === undefined ? access.state : await stateAtToken(parts, access, query.at);
  const events = (await memberEvents(parts, state)).filter(({ pdu }) =>
    isWanted(pdu.content.membership, query),
  );
  return jsonBytes({ chunk: events.map((event) => clientEvent(event, requester, "full", parts.now())) });
}

/** Where both are given, one of the two is enough. */
function isWanted(
  membership: unknown,
  wanted: { membership?: string | undefined; not_membership?: string | undefined },
): boolean {
  const { membership: is, not_membership: isNot } = wanted;
  if (is === undefined && isNot === undefined) return true;
  return (is !== undefined && membership === is) || (isNot !== undefined && membership !== isNot);
}

/** `GET /rooms/{roomId}/joined_members`, for those who are joined themselves */
export async function joinedMembers(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
): Promise<JsonBytes> {
  const { head, state } = await accessTo(parts, requester, roomId);
  const own = (await parts.memberships.of(requester.userId)).get(head.nid);
  if (own?.membership !== "join") throw forbidden("You are not in the room.");
  const joined: JsonObject = {};
  for (const { pdu } of await memberEvents(parts, state)) {
    const { membership, displayname, avatar_url } = pdu.content;
    if (membership !== "join") continue;
    joined[pdu.state_key ?? ""] = {
      ...(typeof displayname === "string" && { display_name: displayname }),
      ...(typeof avatar_url === "string" && { avatar_url }),
    };
  }
  return jsonBytes({ joined });
}

async function stateAtToken(
  parts: RoomParts,
  access: Awaited<ReturnType<typeof accessTo>>,
  token: string,
): Promise<SnapshotChain> {
  const at = Math.min(parsePositionToken(token, "at"), access.end);
  return parts.snapshots.chain(await snapshotAt(parts, access.head.nid, at));
}

async function memberEvents(parts: RoomParts, state: SnapshotChain): Promise<StoredEvent[]> {
  const member = await parts.storage.names.find("m.room.member");
  return parts.events.get(state.entries((type) => type === member));
}

/** One entry of a state, by names. */
export async function entryOf(
  parts: RoomParts,
  state: SnapshotChain,
  type: string,
  stateKey: string,
): Promise<number | undefined> {
  const { names } = parts.storage;
  const [typeNid, keyNid] = await Promise.all([names.find(type), names.find(stateKey)]);
  return typeNid === undefined || keyNid === undefined ? undefined : state.entry(typeNid, keyNid);
}
