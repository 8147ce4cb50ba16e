import { roomName } from "../matrix/room-names.ts";
import { ClientEvent, KnownMembership, RoomEvent } from "../sdk.ts";
import { useClient, useSessionState } from "../state/session-context.ts";
import { useEvents } from "../state/use-events.ts";
import { Doorstep } from "./doorstep.tsx";
import { InviteActions } from "./invite-actions.tsx";
import { JoinButton } from "./join-button.tsx";
import { RoomView } from "./room-view.tsx";

const membershipEvents = [ClientEvent.Room, ClientEvent.DeleteRoom, ClientEvent.Sync, RoomEvent.MyMembership];

/** The room of the address: the room itself for its members, its doorstep for everybody else. */
export function RoomPage({ roomIdOrAlias }: { roomIdOrAlias: string }) {
  const client = useClient();
  const { connection } = useSessionState();
  useEvents(client, membershipEvents);
  const room =
    client.getRoom(roomIdOrAlias) ??
    client.getRooms().find((candidate) => candidate.getCanonicalAlias() === roomIdOrAlias) ??
    null;
  const membership = room?.getMyMembership();
  if (connection === "connecting") return <Doorstep name="">Fetching the room.</Doorstep>;
  if (room && membership === KnownMembership.Join) return <RoomView key={room.roomId} room={room} />;
  if (room && membership === KnownMembership.Invite) {
    return (
      <Doorstep name={roomName(room)} words="You are invited.">
        <InviteActions roomId={room.roomId} />
      </Doorstep>
    );
  }
  return (
    <Doorstep name={room ? roomName(room) : ""} words="You are not in this room.">
      <JoinButton roomIdOrAlias={room?.roomId ?? roomIdOrAlias} />
    </Doorstep>
  );
}
