import type { RoomForReaders, StoredEvent } from "../room/api.ts";

export type EventNames = { senderName?: string; roomName?: string; roomAlias?: string };

/** What people call an event's sender and room, as the room's state was with the event. At most six records. */
export async function namesOf(
  room: Pick<RoomForReaders, "events" | "stateEntry">,
  event: StoredEvent,
): Promise<EventNames> {
  const content = async (type: string, stateKey: string, member: string) => {
    const nid = await room.stateEntry(event.stateBefore, type, stateKey);
    const [state] = nid === undefined ? [] : await room.events([nid]);
    const value = state?.pdu.content[member];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const [senderName, roomName, roomAlias] = await Promise.all([
    content("m.room.member", event.pdu.sender, "displayname"),
    content("m.room.name", "", "name"),
    content("m.room.canonical_alias", "", "alias"),
  ]);
  return {
    ...(senderName !== undefined && { senderName }),
    ...(roomName !== undefined && { roomName }),
    ...(roomAlias !== undefined && { roomAlias }),
  };
}
