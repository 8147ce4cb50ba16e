import type { JsonObject } from "../../matrix/json.ts";
import type { Receipt } from "../receipts/api.ts";

type ReceiptContent = { [eventId: string]: { [type: string]: { [userId: string]: JsonObject } } };

/** `m.typing`, also when nobody types any more: that is how a client learns it. */
export function typingEvent(typists: readonly string[]): JsonObject {
  return { type: "m.typing", content: { user_ids: [...typists] } };
}

/**
 * `m.receipt` events for receipts. One event has room for one receipt of a user on an event: where the same user
 * has read up to the same event in a thread and outside of threads, a second m.receipt carries the second.
 * @see https://spec.matrix.org/v1.19/client-server-api/#mreceipt
 */
export function receiptEvents(receipts: readonly Receipt[]): JsonObject[] {
  const contents: ReceiptContent[] = [];
  for (const { eventId, type, userId, ts, thread } of receipts) {
    let content = contents.find((each) => each[eventId]?.[type]?.[userId] === undefined);
    if (content === undefined) {
      content = {};
      contents.push(content);
    }
    content[eventId] ??= {};
    content[eventId][type] ??= {};
    content[eventId][type][userId] = thread === "" ? { ts } : { ts, thread_id: thread };
  }
  return contents.map((content) => ({ type: "m.receipt", content }));
}
