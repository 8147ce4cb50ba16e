import * as v from "valibot";
import { jsonObject, jsonRecord, objectOf } from "../../../../door/schemas.ts";
import { domainOf } from "../../../../matrix/domain.ts";
import { isJsonObject } from "../../../../matrix/json.ts";
import type { IncomingParts, TakeContent } from "./parts.ts";
import { isRefusal } from "./refusal.ts";

/** Receipts of one EDU that are looked at: Synapse puts all of a room into one. */
const MOST_RECEIPTS = 1_000;

const typingContent = objectOf({ room_id: v.string(), user_id: v.string(), typing: v.boolean() });

/** @see https://spec.matrix.org/v1.19/server-server-api/#typing-notifications */
export const takeTyping: TakeContent = async (parts, origin, content) => {
  const { room_id: roomId, user_id: userId, typing } = v.parse(typingContent, content);
  if (domainOf(userId) !== origin || !(await parts.roomQueries.isServerAllowed(roomId, origin))) return;
  await parts.typing.hear(roomId, userId, typing);
};

const timestamp = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const receipt = objectOf({
  event_ids: v.array(v.string()),
  data: objectOf({ ts: timestamp, thread_id: v.optional(v.string()) }),
});
const receiptContent = jsonRecord(jsonObject);

/**
 * Each receipt is looked at for itself: one that is wrong does not take the others with it.
 * @see https://spec.matrix.org/v1.19/server-server-api/#receipts
 */
export const takeReceipts: TakeContent = async (parts, origin, content) => {
  let left = MOST_RECEIPTS;
  for (const [roomId, byType] of Object.entries(v.parse(receiptContent, content))) {
    const read = byType["m.read"];
    const users = isJsonObject(read) ? Object.entries(read) : [];
    const receipts = users.filter(([userId]) => domainOf(userId) === origin);
    if (receipts.length === 0 || !(await isAllowed(parts, roomId, origin))) continue;
    for (const [userId, json] of receipts.slice(0, left)) {
      const { success, output } = v.safeParse(receipt, json);
      const eventId = success ? output.event_ids.at(-1) : undefined;
      if (!success || eventId === undefined) continue;
      const { ts, thread_id: threadId } = output.data;
      await parts.receipts.hear(userId, { roomId, eventId, threadId, ts });
    }
    left = Math.max(0, left - receipts.length);
  }
};

/** Not of a room that is not known here either. */
async function isAllowed({ roomQueries }: IncomingParts, roomId: string, origin: string): Promise<boolean> {
  return roomQueries.isServerAllowed(roomId, origin).catch((error: unknown) => {
    if (isRefusal(error)) return false;
    throw error;
  });
}
