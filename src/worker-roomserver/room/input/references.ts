import { authEventIds, prevEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { StoredEvent } from "../api.ts";
import type { EventStore } from "../event-store.ts";
import type { RoomHead } from "../room-head.ts";

/** What an event refers to, as far as it is known here. */
export type References = {
  /** Its auth events. */
  cited: StoredEvent[];
  previous: StoredEvent[];
  /** From room version 12 on, the create event, which the room's id names. */
  create: StoredEvent | undefined;
  /** Previous events that are of another room. */
  foreign: StoredEvent[];
  /** Ids; a previous event is missing, too, where only what it authorises is known. */
  missing: { authEvents: string[]; prevEvents: string[] };
};

/** Costs a key looked up for each reference that is not in memory, and reads those that there are. */
export async function findReferences(
  events: EventStore,
  head: RoomHead,
  { pdu }: ReceivedEvent,
): Promise<References> {
  const auth = [...new Set(authEventIds(pdu))];
  const prev = [...new Set(prevEventIds(pdu))];
  const isNamed = head.rules.roomIdIsCreateHash && pdu.type !== "m.room.create";
  const createId = isNamed ? [`$${head.roomId.slice(1)}`] : [];
  const found = await events.byIds([...auth, ...prev, ...createId]);
  const cited = found.slice(0, auth.length);
  const previous = found.slice(auth.length, auth.length + prev.length);
  const foreign = previous.filter((event) => event !== undefined && event.room !== head.nid) as StoredEvent[];
  const create = found[auth.length + prev.length];
  const isPlaced = (event: StoredEvent | undefined): event is StoredEvent =>
    event !== undefined && !event.isOutlier;
  return {
    cited: cited.filter((event) => event !== undefined),
    previous: previous.filter(isPlaced),
    create,
    foreign,
    missing: {
      authEvents: [
        ...auth.filter((_, i) => cited[i] === undefined),
        ...createId.filter(() => create === undefined),
      ],
      prevEvents: prev.filter((_, i) => !isPlaced(previous[i])),
    },
  };
}
