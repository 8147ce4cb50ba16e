import { summariseRooms } from "../matrix/summarise.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { ClientEvent, RoomEvent, RoomMemberEvent } from "../sdk.ts";
import { useClient, useSessionState } from "../state/session-context.ts";
import { useEvents } from "../state/use-events.ts";
import { InviteItem } from "./invite-item.tsx";
import { RoomItem } from "./room-item.tsx";

const listEvents = [
  ClientEvent.Room,
  ClientEvent.DeleteRoom,
  ClientEvent.Sync,
  RoomEvent.Timeline,
  RoomEvent.Name,
  RoomEvent.MyMembership,
  RoomEvent.LocalEchoUpdated,
  RoomEvent.Receipt,
  RoomEvent.Redaction,
  RoomMemberEvent.Name,
];

type RoomListProps = { openRoomId: string | null; onCreate(): void };

export function RoomList({ openRoomId, onCreate }: RoomListProps) {
  const client = useClient();
  const { connection } = useSessionState();
  useEvents(client, listEvents);
  // While the first sync is worked in, rooms are there that are only half known.
  if (connection === "connecting") return <RoomListPlaceholder />;
  const rooms = summariseRooms(client);
  const now = Date.now();
  if (rooms.length === 0) {
    return (
      <div className="room-list-empty" data-testid="room-list">
        <p>No rooms yet.</p>
        <ActionButton look="primary" onPress={onCreate}>
          Make a room
        </ActionButton>
      </div>
    );
  }
  return (
    <nav className="room-list" aria-label="Rooms" data-testid="room-list">
      <ul>
        {rooms.map((room) =>
          room.invited ? (
            <InviteItem key={room.roomId} room={room} isOpen={room.roomId === openRoomId} />
          ) : (
            <RoomItem key={room.roomId} room={room} isOpen={room.roomId === openRoomId} now={now} />
          ),
        )}
      </ul>
    </nav>
  );
}

/** Stands where the rooms will be while the first sync is under way. */
function RoomListPlaceholder() {
  return (
    <div className="room-list room-list-placeholder" role="status" aria-label="Fetching your rooms">
      {["one", "two", "three", "four"].map((key) => (
        <div key={key} className="placeholder-row">
          <span className="placeholder-avatar" />
          <span className="placeholder-lines" />
        </div>
      ))}
    </div>
  );
}
