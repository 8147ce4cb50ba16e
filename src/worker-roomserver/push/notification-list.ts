import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import { parsePositionToken, positionToken } from "../node/tokens.ts";
import type { StoredEvent } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type { ListedNotification, NotificationsPage, NotificationsQuery } from "./api.ts";
import { fromRow, type Notification } from "./notification.ts";
import type { PushOptions } from "./options.ts";
import type { UnreadStore } from "./unread-store.ts";

/** Nobody looks further back for what they were told of, and each costs a row for each member of its room. */
const KEPT_NOTIFICATIONS = 2_000;
/** Rows looked at for a page: of those that are not shown any more there may be many in a row. */
const LOOKED_AT = 500;

type ListOptions = Pick<PushOptions, "storage" | "room"> & {
  unread: UnreadStore;
  /** Resolves once what was found up to the position is in the stores. */
  stored: (position: Position) => Promise<void>;
};

/** What a user was notified of, the newest first. */
export class NotificationList {
  readonly #with: ListOptions;

  constructor(options: ListOptions) {
    this.#with = options;
  }

  /** See Push. A page begins behind a position in the log, so what comes meanwhile moves nothing. */
  async page(requester: Requester, query: NotificationsQuery): Promise<NotificationsPage> {
    const { storage, stored } = this.#with;
    const from = query.from === undefined ? undefined : parsePositionToken(query.from, "from");
    await stored(storage.position);
    const user = await storage.names.find(requester.userId);
    if (user === undefined || query.limit === 0) return { notifications: [] };
    const notifications: ListedNotification[] = [];
    let before = from ?? Number.POSITIVE_INFINITY;
    for (let looked = 0; looked < LOOKED_AT; ) {
      // One more than is wanted, which says whether there is more.
      const rows = await this.#rows(user, before, query.limit - notifications.length + 1);
      looked += rows.length;
      const wanted = rows.slice(0, query.limit - notifications.length);
      notifications.push(...(await this.#listed(requester, user, wanted, query.onlyHighlights)));
      before = wanted.at(-1)?.order ?? before;
      if (rows.length === wanted.length) return { notifications };
      if (notifications.length === query.limit) break;
    }
    return { next_token: positionToken(before), notifications };
  }

  /** Rows of the store with an order below `before`, the newest first. One range. */
  async #rows(user: Nid, before: number, count: number): Promise<Notification[]> {
    const lower = before === Number.POSITIVE_INFINITY ? [user] : [user, -before];
    const range = IDBKeyRange.bound(lower, [user, []], true);
    const [keys, rows] = await Promise.all([
      this.#with.storage.getAllKeys("notifications", range, count),
      this.#with.storage.getAll("notifications", range, count),
    ]);
    return rows.map((row, i) => fromRow(keys[i]![1], row));
  }

  /** Without those whose event is gone, or not for the user to see any more. */
  async #listed(
    requester: Requester,
    user: Nid,
    rows: readonly Notification[],
    onlyHighlights: boolean,
  ): Promise<ListedNotification[]> {
    const { room, unread } = this.#with;
    const wanted = rows.filter(({ highlight }) => highlight || !onlyHighlights);
    const found = await room.presentEvents(wanted.map(({ event }) => event));
    const present = found.filter((event) => event !== undefined && event.redactedBy === "");
    const visible = new Set(await room.visibleTo(requester.userId, present as StoredEvent[]));
    const listed: ListedNotification[] = [];
    for (const [i, { order, actions, ts }] of wanted.entries()) {
      const event = found[i];
      if (event === undefined || !visible.has(event)) continue;
      const read = !(await unread.of(user, event.room)).has(order);
      const shown: JsonObject = room.clientEvent(event, requester, "sync");
      listed.push({ actions: [...actions], event: shown, read, room_id: event.roomId, ts });
    }
    return listed;
  }
}

/** Removes what is older than the newest of each user. Yields after each user, whose newest keys it reads. */
export async function* dropOldNotifications(
  storage: Storage,
  kept = KEPT_NOTIFICATIONS,
): AsyncGenerator<void> {
  let last: Nid = 0;
  for (;;) {
    // The first key behind those of the last user tells the next one.
    const [next] = await storage.getAllKeys("notifications", IDBKeyRange.lowerBound([last, []]), 1);
    if (next === undefined) return;
    last = next[0];
    const keys = await storage.getAllKeys("notifications", IDBKeyRange.bound([last], [last, []]), kept + 1);
    const oldest = keys[kept];
    if (oldest !== undefined) {
      await storage.commit((write) => write.delete("notifications", IDBKeyRange.bound(oldest, [last, []])));
    }
    yield;
  }
}
