import type { JsonObject } from "../../matrix/json.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Nid, SnapshotNid } from "../storage/schema.ts";

export type Summary = { json: JsonObject; heroes: string[] };

/**
 * The numbers of members, and the members to name a room after that has no name of its own.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync_response-200_roomsummary
 */
export async function roomSummary(
  rooms: RoomForReaders,
  room: Nid,
  state: SnapshotNid,
  userId: string,
): Promise<Summary> {
  const [counts, name, alias] = await Promise.all([
    rooms.memberCounts(room),
    stateEvent(rooms, state, "m.room.name"),
    stateEvent(rooms, state, "m.room.canonical_alias"),
  ]);
  const json: JsonObject = {
    "m.joined_member_count": counts.joined,
    "m.invited_member_count": counts.invited,
  };
  if (isText(name?.pdu.content.name) || isText(alias?.pdu.content.alias)) return { json, heroes: [] };
  const heroes = await rooms.heroes(state, userId);
  return { json: { "m.heroes": heroes, ...json }, heroes };
}

/** Whether any of these changes of state can make a summary that was sent before out of date. */
export function changesSummary(changes: readonly StoredEvent[]): boolean {
  return changes.some(
    ({ pdu }) =>
      pdu.type === "m.room.member" || pdu.type === "m.room.name" || pdu.type === "m.room.canonical_alias",
  );
}

async function stateEvent(
  rooms: RoomForReaders,
  state: SnapshotNid,
  type: string,
): Promise<StoredEvent | undefined> {
  const nid = await rooms.stateEntry(state, type, "");
  return nid === undefined ? undefined : (await rooms.events([nid]))[0];
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
