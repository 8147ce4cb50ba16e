import type { RoomSummary } from "../model/room-summary.ts";
import { shortTime } from "../model/times.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Icon } from "../parts/icon.tsx";
import { addressOfRoom } from "../state/route.ts";

export function RoomItem({ room, isOpen, now }: { room: RoomSummary; isOpen: boolean; now: number }) {
  const count = room.unread > 99 ? "99+" : String(room.unread);
  return (
    <li>
      <a
        className="room-item"
        href={addressOfRoom(room.roomId)}
        aria-current={isOpen ? "page" : undefined}
        data-testid="room-item"
        data-room-id={room.roomId}
        data-unread={room.unread}
        data-highlights={room.highlights}
      >
        <Avatar id={room.roomId} name={room.name} square />
        <span className="room-words">
          <span className="room-line">
            <span className="room-name">{room.name}</span>
            {room.ts > 0 && <time className="room-time">{shortTime(room.ts, now)}</time>}
          </span>
          <span className="room-line">
            <span className="room-preview">{room.preview}</span>
            {room.failed && (
              <span className="room-failed" title="A message could not be sent">
                <Icon name="alert" size={16} />
              </span>
            )}
            {room.unread > 0 && (
              <span className="badge" data-highlight={room.highlights > 0 || undefined}>
                {count}
                <span className="visually-hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );
}
