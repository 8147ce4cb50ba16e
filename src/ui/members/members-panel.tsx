import { useState } from "react";
import { powerIn } from "../matrix/power-in.ts";
import { mayDo } from "../model/power.ts";
import { IconButton } from "../parts/icon-button.tsx";
import { KnownMembership, type Room, RoomEvent, RoomStateEvent } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";
import { useEvents } from "../state/use-events.ts";
import { InviteForm } from "./invite-form.tsx";
import { LeaveRoom } from "./leave-room.tsx";
import { MemberList } from "./member-list.tsx";
import { RoomDetails } from "./room-details.tsx";

const panelEvents = [RoomStateEvent.Events, RoomStateEvent.Members, RoomStateEvent.Update, RoomEvent.Name];

/** The room's own page: what it is, who is in it, and what one may do about either. */
export function MembersPanel({ room, onClose }: { room: Room; onClose(): void }) {
  const client = useClient();
  useEvents(room, panelEvents);
  const [openUserId, setOpenUserId] = useState<string | null>(null);
  const power = powerIn(room);
  const toggle = (userId: string) => setOpenUserId(openUserId === userId ? null : userId);
  const sections = [
    { title: "Members", membership: KnownMembership.Join },
    { title: "Invited", membership: KnownMembership.Invite },
    { title: "Asking to join", membership: KnownMembership.Knock },
    { title: "Banned", membership: KnownMembership.Ban },
  ];
  return (
    <aside className="panel" aria-label="Members and room settings" data-testid="members-panel">
      <header className="panel-head">
        <h2 className="panel-title">About this room</h2>
        <IconButton icon="close" label="Close" onPress={onClose} />
      </header>
      <div className="panel-scroller">
        <RoomDetails room={room} />
        {mayDo(power, client.getSafeUserId(), "invite") && <InviteForm room={room} />}
        {sections.map(({ title, membership }) => (
          <MemberList
            key={membership}
            title={title}
            room={room}
            power={power}
            members={room.getMembersWithMembership(membership)}
            openUserId={openUserId}
            onToggle={toggle}
          />
        ))}
        <LeaveRoom room={room} />
      </div>
    </aside>
  );
}
