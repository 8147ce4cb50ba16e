import { type RoomPower, roomPower } from "../model/power.ts";
import { EventType, type Room } from "../sdk.ts";

/** Who may do what in a room, from its current state. */
export function powerIn(room: Room): RoomPower {
  const create = room.currentState.getStateEvents(EventType.RoomCreate, "");
  const levels = room.currentState.getStateEvents(EventType.RoomPowerLevels, "");
  return roomPower(
    create ? { sender: create.getSender() ?? "", content: create.getContent() } : null,
    levels?.getContent() ?? null,
  );
}
