import { MatrixError, notFound } from "../../../matrix/errors.ts";
import { isEventId } from "../../../matrix/identifiers.ts";
import type { Requester } from "../../node/requester.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { type Access, accessTo } from "./access.ts";

/**
 * @throws MatrixError M_NOT_FOUND (404) for an event that is not there as well as for one that may not be seen, be it
 *   that nothing of its room may
 */
export async function visibleEvent(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  eventId: string,
): Promise<{ event: StoredEvent; access: Access }> {
  const access = await accessOrNothing(parts, requester, roomId);
  const event = await eventOrFetched(parts, roomId, eventId);
  if (event?.roomId === roomId && event.status === 0) {
    const [visible] = await parts.visibility.visibleTo(requester.userId, [event]);
    if (visible !== undefined) return { event: visible, access };
  }
  throw nothing();
}

/** What is not here another server may have. */
async function eventOrFetched(
  parts: RoomParts,
  roomId: string,
  eventId: string,
): Promise<StoredEvent | undefined> {
  const known = await parts.events.byId(eventId);
  if (known !== undefined || !isEventId(eventId)) return known;
  return (await parts.history.event(roomId, eventId)) ? parts.events.byId(eventId) : undefined;
}

async function accessOrNothing(parts: RoomParts, requester: Requester, roomId: string): Promise<Access> {
  try {
    return await accessTo(parts, requester, roomId);
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === "M_FORBIDDEN") throw nothing();
    throw error;
  }
}

const nothing = () => notFound("There is no such event in the room, or you may not see it.");
