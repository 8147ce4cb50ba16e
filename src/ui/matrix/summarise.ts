import { isMessage } from "../model/group-timeline.ts";
import { previewOf } from "../model/message-text.ts";
import { compareRooms, type RoomSummary } from "../model/room-summary.ts";
import { stateText } from "../model/state-text.ts";
import { EventStatus, KnownMembership, type MatrixClient, NotificationCountType, type Room } from "../sdk.ts";
import { namesIn, roomName } from "./room-names.ts";
import { roomEvents, viewEvent } from "./view-event.ts";

/** The rooms the user is in or invited to, in the order of the list. */
export function summariseRooms(client: MatrixClient): RoomSummary[] {
  const me = client.getSafeUserId();
  return client
    .getVisibleRooms()
    .filter((room) => {
      const membership = room.getMyMembership();
      return membership === KnownMembership.Join || membership === KnownMembership.Invite;
    })
    .map((room) => summarise(room, me))
    .sort(compareRooms);
}

function summarise(room: Room, me: string): RoomSummary {
  const invited = room.getMyMembership() === KnownMembership.Invite;
  const nameOf = namesIn(room);
  const invitation = room.currentState.getStateEvents("m.room.member", me);
  const last = invited ? null : lastLine(room, me);
  return {
    roomId: room.roomId,
    name: roomName(room),
    preview: invited ? `${nameOf(invitation?.getSender() ?? "")} invites you` : (last?.text ?? ""),
    ts: last?.ts ?? invitation?.getTs() ?? 0,
    unread: room.getUnreadNotificationCount(NotificationCountType.Total),
    highlights: room.getUnreadNotificationCount(NotificationCountType.Highlight),
    failed: room.getPendingEvents().some((event) => event.status === EventStatus.NOT_SENT),
    invited,
  };
}

/** The newest message; while nobody has said anything, the newest change that says something to a reader. */
function lastLine(room: Room, me: string): { text: string; ts: number } | null {
  const nameOf = namesIn(room);
  const events = roomEvents(room).map(viewEvent);
  const message = events.findLast(isMessage);
  if (message) return { text: previewOf(message, me, nameOf), ts: message.ts };
  const change = events.findLast(
    (event) => event.stateKey !== undefined && stateText(event, nameOf) !== null,
  );
  return change ? { text: stateText(change, nameOf) ?? "", ts: change.ts } : null;
}
