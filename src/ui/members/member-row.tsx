import { serverOf, shortName, shortServer } from "../model/names.ts";
import { type RoomPower, roleOf } from "../model/power.ts";
import { Avatar } from "../parts/avatar.tsx";
import type { Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";
import { MemberActions } from "./member-actions.tsx";

type MemberRowProps = {
  room: Room;
  power: RoomPower;
  userId: string;
  name: string;
  isOpen: boolean;
  onToggle(): void;
};

export function MemberRow({ room, power, userId, name, isOpen, onToggle }: MemberRowProps) {
  const me = useClient().getSafeUserId();
  const server = serverOf(userId);
  const address =
    server === serverOf(me) ? `@${shortName(userId)}` : `@${shortName(userId)} · ${shortServer(server)}`;
  const role = roleOf(power, userId);
  return (
    <li data-testid="member" data-user-id={userId}>
      <button type="button" className="member" aria-expanded={isOpen} onClick={onToggle}>
        <Avatar id={userId} name={name} size="small" />
        <span className="member-words">
          <span className="member-name">
            {name}
            {userId === me && <span className="member-you"> (you)</span>}
          </span>
          <span className="member-address">{address}</span>
        </span>
        {role !== "Member" && <span className="member-role">{role}</span>}
      </button>
      {isOpen && <MemberActions room={room} power={power} userId={userId} />}
    </li>
  );
}
