import { notFound } from "../../../../matrix/errors.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../../matrix/room-versions.ts";
import type { Nid } from "../../../storage/schema.ts";
import type { StoredEvent } from "../../api.ts";
import type { GraphParts } from "./parts.ts";

export type KnownRoom = { nid: Nid; roomId: string; rules: RoomVersionRules };

/** A room, without where it stands: a name and a row. @throws MatrixError M_NOT_FOUND (404) */
export async function knownRoom({ storage }: GraphParts, roomId: string): Promise<KnownRoom> {
  const nid = await storage.names.find(roomId);
  const row = nid === undefined ? undefined : await storage.get("rooms", nid);
  const rules = row && roomVersionRules(row.version);
  if (nid === undefined || rules === undefined) throw notFound("This server does not know the room.");
  return { nid, roomId, rules };
}

/** Events of the room, in the order asked for, without those that are not known in it. */
export async function eventsIn(
  parts: GraphParts,
  room: KnownRoom,
  eventIds: readonly string[],
): Promise<StoredEvent[]> {
  const events = await parts.events.byIds(eventIds);
  return events.filter((event) => event?.room === room.nid) as StoredEvent[];
}

/**
 * An event around which the state is known. It is read alone: the room itself plays no part.
 * @throws MatrixError M_NOT_FOUND (404)
 */
export async function eventInState(parts: GraphParts, roomId: string, eventId: string): Promise<StoredEvent> {
  const event = await parts.events.byId(eventId);
  if (event?.roomId !== roomId) throw notFound("This server does not know the event in this room.");
  if (event.isOutlier) throw notFound("This server does not know the room's state at this event.");
  return event;
}
