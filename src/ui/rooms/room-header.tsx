import { roomName } from "../matrix/room-names.ts";
import { text } from "../model/timeline-event.ts";
import { Avatar } from "../parts/avatar.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { EventType, type Room, RoomEvent, RoomStateEvent } from "../sdk.ts";
import { closeRoom } from "../state/route.ts";
import { useEvents } from "../state/use-events.ts";

const headerEvents = [RoomEvent.Name, RoomStateEvent.Events, RoomStateEvent.Members];

type RoomHeaderProps = { room: Room; showsMembers: boolean; onMembers(): void };

export function RoomHeader({ room, showsMembers, onMembers }: RoomHeaderProps) {
  useEvents(room, headerEvents);
  const topic = text(room.currentState.getStateEvents(EventType.RoomTopic, "")?.getContent(), "topic");
  const count = room.getJoinedMemberCount();
  return (
    <header className="room-header">
      <span className="room-back">
        <IconButton icon="back" label="Back to the rooms" onPress={closeRoom} />
      </span>
      <Avatar id={room.roomId} name={roomName(room)} size="small" square />
      <div className="room-title">
        <h1 className="room-heading" data-testid="room-name">
          {roomName(room)}
        </h1>
        <p className="room-topic" title={topic}>
          {topic || (count === 1 ? "Only you" : `${count} members`)}
        </p>
      </div>
      <IconButton
        icon="people"
        label={showsMembers ? "Hide the members" : "Members and room settings"}
        aria-expanded={showsMembers}
        onPress={onMembers}
        data-testid="members"
      />
    </header>
  );
}
