import { invalidParam, notFound } from "../../matrix/errors.ts";
import { isEventId } from "../../matrix/identifiers.ts";
import { MAIN_TIMELINE, placeInThreads } from "../../matrix/threads.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Nid } from "../storage/schema.ts";
import type { ReceiptRequest } from "./api.ts";

/**
 * The event that a receipt is for.
 * @throws MatrixError M_NOT_FOUND if the room has no such event; M_INVALID_PARAM for a thread that the receipt
 *   cannot be in
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid
 */
export async function receiptTarget(
  events: Pick<RoomForReaders, "eventById">,
  room: Nid,
  request: ReceiptRequest,
): Promise<StoredEvent> {
  const { threadId, type, eventId } = request;
  if (threadId !== undefined) {
    if (type === "m.fully_read") throw invalidParam('A "thread_id" does not go with m.fully_read.');
    if (threadId !== MAIN_TIMELINE && !isEventId(threadId)) {
      throw invalidParam('"thread_id" must be "main" or the event ID of a thread\'s root.');
    }
  }
  const inRoom = async (id: string) => {
    const event = await events.eventById(id);
    // What is in no timeline is shown to nobody.
    return event?.room === room && event.status === 0 && event.order !== 0 ? event : undefined;
  };
  const event = await inRoom(eventId);
  if (event === undefined) throw notFound("This event is not known in the room.");
  if (threadId !== undefined) {
    const contentOf = async (id: string) => (await inRoom(id))?.pdu.content;
    const { thread, parents } = await placeInThreads(event.pdu.content, contentOf);
    // A thread's root, and what is related to it, is in the main timeline and may be read in the thread as well.
    const isRoot = thread === MAIN_TIMELINE && (eventId === threadId || parents.includes(threadId));
    if (threadId !== thread && !isRoot) {
      throw invalidParam("The event does not belong to the thread of this receipt.");
    }
  }
  return event;
}
