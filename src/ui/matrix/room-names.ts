import { shortenIds, shortName } from "../model/names.ts";
import type { NameOf } from "../model/timeline-event.ts";
import type { Room } from "../sdk.ts";

/** What the page calls a room: its name as the SDK makes it, without the keys of user ids. */
export function roomName(room: Room): string {
  return shortenIds(room.name);
}

/** What the page calls the users of a room: the name they chose there, else their short name. */
export function namesIn(room: Room): NameOf {
  return (userId) => {
    const chosen = room.getMember(userId)?.rawDisplayName;
    return chosen === undefined || chosen === "" || chosen === userId ? shortName(userId) : chosen;
  };
}
