import { authEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { Breath } from "../../node/breathe.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { EventStore } from "../event-store.ts";
import type { RoomHead } from "../room-head.ts";
import type { EventTaker, Taken } from "./take-event.ts";

/**
 * Judges again what was rejected for want of an event that has come, and what that leads to. One event is read at a
 * time: there may be as many as may wait in a room.
 * @returns what was written, for it and for them. A failure is nobody's business until that is waited for
 */
export async function judgeAgain(
  events: EventStore,
  taker: EventTaker,
  head: RoomHead,
  { durable, freed = [] }: Pick<Taken, "durable" | "freed">,
): Promise<Promise<void>[]> {
  const written: Promise<void>[] = [];
  const note = (unit: Promise<void> | undefined) => {
    if (unit === undefined) return;
    unit.catch(() => undefined);
    written.push(unit);
  };
  note(durable);
  const queue: EventNid[] = [...freed];
  // What has been allowed since it was put there goes by another number.
  const allowed = new Set<EventNid>();
  const breath = new Breath();
  // Goes on to what is added meanwhile.
  for (const nid of queue) {
    if (allowed.has(nid)) continue;
    const { eventId, pdu, isOutlier } = await events.getOne(nid);
    const received = { eventId, pdu, json: JSON.stringify(pdu) } as ReceivedEvent;
    const again = await taker.take(head, received, {
      as: isOutlier ? "outlier" : "live",
      unobtainable: authEventIds(pdu),
    });
    if (again.verdict.outcome !== "rejected") allowed.add(nid);
    note(again.durable);
    queue.push(...(again.freed ?? []));
    await breath.take();
  }
  return written;
}
