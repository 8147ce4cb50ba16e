import type { RoomSummary } from "../model/room-summary.ts";
import { Avatar } from "../parts/avatar.tsx";
import { InviteActions } from "./invite-actions.tsx";

export function InviteItem({ room, isOpen }: { room: RoomSummary; isOpen: boolean }) {
  return (
    <li className="invite" data-open={isOpen || undefined} data-testid="invite" data-room-id={room.roomId}>
      <Avatar id={room.roomId} name={room.name} square />
      <div className="room-words">
        <span className="room-name">{room.name}</span>
        <span className="room-preview">{room.preview}</span>
        <InviteActions roomId={room.roomId} />
      </div>
    </li>
  );
}
