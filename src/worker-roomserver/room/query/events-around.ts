import { orderBefore, positionToken } from "../../node/tokens.ts";
import type { EventsAround, StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { eventsBackward, eventsForward } from "./timeline.ts";

/** What the user may see right before and after an event. See `RoomForReaders.around`. */
export async function eventsAround(
  parts: RoomParts,
  event: StoredEvent,
  { userId, ignored }: { userId: string; ignored: ReadonlySet<string> },
  limits: { before: number; after: number },
): Promise<EventsAround> {
  const { room, order } = event;
  const [older, newer] = await Promise.all([
    eventsBackward(parts, room, { from: orderBefore(order), count: limits.before }),
    eventsForward(parts, room, { after: order, upTo: parts.storage.position, count: limits.after }),
  ]);
  const visible = await parts.visibility.visibleTo(userId, [...older, ...newer]);
  const shown = visible.filter(({ pdu }) => !ignored.has(pdu.sender));
  return {
    before: shown.filter((one) => one.order < order).sort((one, other) => other.order - one.order),
    after: shown.filter((one) => one.order > order).sort((one, other) => one.order - other.order),
    start: positionToken(orderBefore(older.at(-1)?.order ?? order)),
    end: positionToken(newer.at(-1)?.order ?? order),
  };
}
