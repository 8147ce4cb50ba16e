import { isJsonObject, type JsonObject } from "../../matrix/json.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";

export type EventNames = { senderName?: string; roomName?: string; roomAlias?: string };

type Rooms = Pick<RoomForReaders, "events" | "stateEntry" | "strippedState">;
/** The content of an entry of a state. */
type Contents = (type: string, stateKey: string) => Promise<JsonObject | undefined>;

/** What people call an event's sender and room, as the room's state was with the event. At most six records. */
export async function namesOf(room: Rooms, event: StoredEvent): Promise<EventNames> {
  const contents = event.isOutOfBand ? await toldContents(room, event) : stateContents(room, event);
  const text = async (type: string, stateKey: string, member: string) => {
    const value = (await contents(type, stateKey))?.[member];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const [senderName, roomName, roomAlias] = await Promise.all([
    text("m.room.member", event.pdu.sender, "displayname"),
    text("m.room.name", "", "name"),
    text("m.room.canonical_alias", "", "alias"),
  ]);
  return {
    ...(senderName !== undefined && { senderName }),
    ...(roomName !== undefined && { roomName }),
    ...(roomAlias !== undefined && { roomAlias }),
  };
}

function stateContents(room: Rooms, { stateBefore }: StoredEvent): Contents {
  return async (type, stateKey) => {
    const nid = await room.stateEntry(stateBefore, type, stateKey);
    const [state] = nid === undefined ? [] : await room.events([nid]);
    return state?.pdu.content;
  };
}

/** Of an invite to a room that is not known here: what came with it. */
async function toldContents(room: Rooms, { room: nid, pdu }: StoredEvent): Promise<Contents> {
  const told = await room.strippedState(nid, pdu.state_key ?? "");
  return async (type, stateKey) => {
    const event = told.find((one) => one.type === type && one.state_key === stateKey);
    return isJsonObject(event?.content) ? event.content : undefined;
  };
}
