import { passesRoomEventFilter } from "../../matrix/filters.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { AccountDataEvent } from "../account-data/api.ts";
import type { UnreadCounts } from "../push/api.ts";
import type { Receipt } from "../receipts/api.ts";
import { receiptEvents, typingEvent } from "./ephemeral.ts";
import type { Readers } from "./readers.ts";
import type { SyncRequest } from "./request.ts";
import { emptyHistory, type HistoryRequest, roomHistory } from "./room-history.ts";

/** What may have changed in one room within the span. */
export type RoomNews = {
  events: boolean;
  receipts: boolean;
  typing: boolean;
  accountData: readonly AccountDataEvent[];
};

/** @returns the section of a joined room, undefined if there is nothing in it that the client wants */
export async function joinedSection(
  readers: Readers,
  sync: SyncRequest,
  request: HistoryRequest,
  news: RoomNews,
): Promise<JsonObject | undefined> {
  const { room, upTo } = request;
  const { userId } = sync.requester;
  const since = room.entered ? 0 : request.since;
  const [history, receipts] = await Promise.all([
    news.events || sync.fullState ? roomHistory(readers.room, sync, request) : emptyHistory(sync, upTo),
    news.receipts ? readers.receipts.changed(room.room, userId, since, upTo) : [],
  ]);
  const ephemeral = ephemeralEvents(readers, sync, request, news.typing, receipts);
  const accountData = roomAccountData(sync, room.roomId, news.accountData);
  // One's own receipt changes the counts, also for a client that does not want to see receipts.
  const hasRead = receipts.some((receipt) => receipt.userId === userId);
  if (!history.isNews && !hasRead && ephemeral.length === 0 && accountData.length === 0) return undefined;
  return {
    ...history.json,
    ephemeral: { events: ephemeral },
    account_data: { events: accountData },
    ...unread(await readers.push.counts(userId, room.room), sync),
  };
}

/** Room account data as the client's filter lets it through. */
export function roomAccountData(
  sync: SyncRequest,
  roomId: string,
  accountData: readonly AccountDataEvent[],
): JsonObject[] {
  return accountData
    .filter((data) => passesRoomEventFilter(sync.filter.room.account_data, data, roomId))
    .map(({ type, content }) => ({ type, content }));
}

function ephemeralEvents(
  readers: Readers,
  sync: SyncRequest,
  { room, ignored }: HistoryRequest,
  typing: boolean,
  receipts: readonly Receipt[],
): JsonObject[] {
  const events = receiptEvents(
    receipts.filter(({ type, userId }) => type !== "m.fully_read" && !ignored.has(userId)),
  );
  const typists = readers.typing.typists(room.room).filter((userId) => !ignored.has(userId));
  // That nobody types is news only to those who may think otherwise.
  if (room.entered ? typists.length > 0 : typing) events.push(typingEvent(typists));
  const filter = sync.filter.room.ephemeral;
  return events.filter(({ type, content }) =>
    passesRoomEventFilter(filter, { type: type as string, content: content as JsonObject }, room.roomId),
  );
}

/**
 * Counts in threads are told apart only for clients that know threads.
 * @see https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
function unread(counts: UnreadCounts, sync: SyncRequest): JsonObject {
  const { threads } = counts;
  const main = { notification_count: counts.notification_count, highlight_count: counts.highlight_count };
  if (sync.filter.room.timeline.unread_thread_notifications === true) {
    return { unread_notifications: main, unread_thread_notifications: threads };
  }
  for (const thread of Object.values(threads)) {
    main.notification_count += thread.notification_count;
    main.highlight_count += thread.highlight_count;
  }
  return { unread_notifications: main };
}
