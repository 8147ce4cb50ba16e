import type { NameOf } from "../model/timeline-event.ts";
import { Avatar } from "../parts/avatar.tsx";

const most = 6;

/** Who has read up to here. */
export function Readers({ userIds, nameOf }: { userIds: readonly string[]; nameOf: NameOf }) {
  const names = userIds.map(nameOf);
  const words = `Read by ${names.join(", ")}`;
  return (
    <span className="readers" title={words} data-testid="readers">
      <span className="visually-hidden">{words}</span>
      {userIds.slice(0, most).map((userId) => (
        <Avatar key={userId} id={userId} name={nameOf(userId)} size="tiny" />
      ))}
      {userIds.length > most && <span className="readers-more">+{userIds.length - most}</span>}
    </span>
  );
}
