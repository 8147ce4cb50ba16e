import { useState } from "react";
import { namesIn } from "../matrix/room-names.ts";
import { powerOf, type RoomPower } from "../model/power.ts";
import type { Room, RoomMember } from "../sdk.ts";
import { MemberRow } from "./member-row.tsx";

/** A room may have tens of thousands of members; so many are shown before somebody asks for all. */
const shownAtFirst = 100;

type MemberListProps = {
  title: string;
  room: Room;
  power: RoomPower;
  members: readonly RoomMember[];
  openUserId: string | null;
  onToggle(userId: string): void;
};

export function MemberList({ title, room, power, members, openUserId, onToggle }: MemberListProps) {
  const [showsAll, setShowsAll] = useState(false);
  if (members.length === 0) return null;
  const nameOf = namesIn(room);
  const sorted = members
    .map(({ userId }) => ({ userId, name: nameOf(userId), power: powerOf(power, userId) }))
    .sort((a, b) => (a.power === b.power ? a.name.localeCompare(b.name) : b.power - a.power));
  const visible = showsAll ? sorted : sorted.slice(0, shownAtFirst);
  return (
    <section className="panel-section">
      <h3 className="panel-heading">
        {title} <span className="panel-count">{members.length}</span>
      </h3>
      <ul className="member-list">
        {visible.map(({ userId, name }) => (
          <MemberRow
            key={userId}
            room={room}
            power={power}
            userId={userId}
            name={name}
            isOpen={userId === openUserId}
            onToggle={() => onToggle(userId)}
          />
        ))}
      </ul>
      {visible.length < sorted.length && (
        <button type="button" className="link" onClick={() => setShowsAll(true)}>
          Show all {sorted.length}
        </button>
      )}
    </section>
  );
}
