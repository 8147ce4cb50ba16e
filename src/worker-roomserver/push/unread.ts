import { MAIN_TIMELINE } from "../../matrix/threads.ts";
import type { Receipt } from "../receipts/api.ts";
import type { PushActionRow } from "../storage/schema.ts";
import type { UnreadCounts } from "./api.ts";

/** What a user has not read in a room, by the events' order. */
export type Unread = Map<number, PushActionRow>;

/** Whether a receipt covers an event: an unthreaded one whatever its thread, another only in its own. */
export function isCovered(order: number, thread: string, receipts: readonly Receipt[]): boolean {
  return receipts.some(
    (receipt) =>
      (receipt.type === "m.read" || receipt.type === "m.read.private") &&
      (receipt.thread === "" || receipt.thread === thread) &&
      receipt.order >= order,
  );
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications */
export function countUnread(unread: Unread): UnreadCounts {
  const main = { notification_count: 0, highlight_count: 0 };
  const threads = new Map<string, typeof main>();
  for (const [, highlight, thread] of unread.values()) {
    const counts = thread === MAIN_TIMELINE ? main : (threads.get(thread) ?? { ...noCounts });
    counts.notification_count += 1;
    counts.highlight_count += highlight;
    if (counts !== main) threads.set(thread, counts);
  }
  return { ...main, threads: Object.fromEntries(threads) };
}

const noCounts = { notification_count: 0, highlight_count: 0 } as const;
