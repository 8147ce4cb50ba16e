import { tweaksOf } from "../../matrix/push-rules/evaluate.ts";
import { parsePositionToken, positionToken } from "../node/tokens.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type { NotificationNews, ShownNotification } from "./api.ts";
import { namesOf } from "./describe-event.ts";
import { fromRow, type Notification, type NotificationListener } from "./notification.ts";
import type { PushOptions } from "./options.ts";
import type { UnreadStore } from "./unread-store.ts";

/** More at once than anybody looks at: of a flood only the newest are shown. */
const MOST_SHOWN = 20;
/** News of one user that are kept for who asks next. */
const KEPT_NEWS = 100;
/** For whom nobody has asked for so long, nothing is kept. */
const FORGOTTEN_AFTER_MS = 5 * 60_000;

type WatchOptions = Pick<PushOptions, "storage" | "room" | "now"> & {
  unread: UnreadStore;
  caughtUp: (position: Position) => Promise<void>;
  /** Resolves once what was found up to the position is in the stores. */
  stored: (position: Position) => Promise<void>;
};

/** What is kept for who watches a user. */
type Watched = {
  /** All that came after this position is here, or was more than is kept. */
  since: Position;
  askedAt: number;
  notifications: Map<number, Notification>;
  /** Rooms that something was read in, and where in the log. */
  reads: Map<Nid, Position>;
  waiting: Set<() => void>;
};

/**
 * Hands out what is to be shown on the device that a user sits at. Kept in memory while somebody asks; what is older is
 * in the store.
 */
export class NotificationWatch implements NotificationListener {
  readonly #with: WatchOptions;
  readonly #users = new Map<string, Watched>();

  constructor(options: WatchOptions) {
    this.#with = options;
  }

  notified(userId: string, notification: Notification): void {
    const watched = this.#current(userId);
    if (watched === undefined) return;
    const { notifications } = watched;
    notifications.set(notification.order, notification);
    if (notifications.size > KEPT_NEWS) notifications.delete(notifications.keys().next().value!);
    wake(watched);
  }

  read(userId: string, room: Nid, position: Position): void {
    const watched = this.#current(userId);
    if (watched === undefined) return;
    watched.reads.set(room, position);
    wake(watched);
  }

  /** See Push. */
  async news(userId: string, from: string | undefined, timeout: number): Promise<NotificationNews> {
    const { storage } = this.#with;
    const after = from === undefined ? undefined : parsePositionToken(from, "from");
    const watched = await this.#watched(userId);
    let end: ReturnType<typeof setTimeout> | undefined;
    let hasEnded = after === undefined || timeout <= 0;
    let wakeUp: () => void = () => undefined;
    try {
      for (;;) {
        // Registered before the look, so that nothing is missed between the two.
        const woken = new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
        watched.waiting.add(wakeUp);
        // A look after the end must see what came until then.
        const isLast = hasEnded;
        const { position } = storage;
        await this.#with.caughtUp(position);
        const news = await this.#since(userId, watched, after ?? position, position);
        if (isLast || news.notifications.length > 0 || news.read.length > 0) return news;
        end ??= setTimeout(() => {
          hasEnded = true;
          wake(watched);
        }, timeout);
        await woken;
      }
    } finally {
      clearTimeout(end);
      watched.waiting.delete(wakeUp);
    }
  }

  async #watched(userId: string): Promise<Watched> {
    const { storage, now, caughtUp } = this.#with;
    let watched = this.#current(userId);
    if (watched === undefined) {
      const since = storage.position;
      watched = { since, askedAt: now(), notifications: new Map(), reads: new Map(), waiting: new Set() };
      this.#users.set(userId, watched);
      await caughtUp(since);
    }
    watched.askedAt = now();
    return watched;
  }

  #current(userId: string): Watched | undefined {
    const watched = this.#users.get(userId);
    if (watched === undefined || this.#with.now() - watched.askedAt < FORGOTTEN_AFTER_MS) return watched;
    this.#users.delete(userId);
    return undefined;
  }

  async #since(userId: string, watched: Watched, after: Position, upTo: Position): Promise<NotificationNews> {
    const { storage, unread } = this.#with;
    const user = await storage.names.intern(userId);
    const found = [...watched.notifications.values()].filter(({ order }) => order > after && order <= upTo);
    if (after < watched.since) found.push(...(await this.#stored(user, after, watched.since)));
    const shown: ShownNotification[] = [];
    for (const notification of newest(found)) {
      const one = await this.#shown(user, notification);
      if (one !== undefined) shown.push(one);
    }
    const read: string[] = [];
    for (const [nid, position] of watched.reads) {
      if (position <= after || position > upTo || (await unread.of(user, nid)).size > 0) continue;
      read.push(await storage.names.text(nid));
    }
    return { next: positionToken(upTo), notifications: shown, read };
  }

  /** What came before anybody asked this leader. One range. */
  async #stored(user: Nid, after: Position, upTo: Position): Promise<Notification[]> {
    const { storage, stored } = this.#with;
    await stored(upTo);
    const range = IDBKeyRange.bound([user, -upTo], [user, -after], false, true);
    const keys = await storage.getAllKeys("notifications", range, MOST_SHOWN);
    const rows = await storage.getAll("notifications", range, MOST_SHOWN);
    return rows.map((row, i) => fromRow(keys[i]![1], row));
  }

  /** Undefined for what has been read by now, or is gone. */
  async #shown(user: Nid, notification: Notification): Promise<ShownNotification | undefined> {
    const { room, unread } = this.#with;
    if (!(await unread.of(user, notification.room)).has(notification.order)) return undefined;
    const [event] = await room.presentEvents([notification.event]);
    if (event === undefined || event.redactedBy !== "") return undefined;
    const { pdu, eventId, roomId } = event;
    const { senderName, roomName, roomAlias } = await namesOf(room, event);
    return {
      room_id: roomId,
      event_id: eventId,
      type: pdu.type,
      sender: pdu.sender,
      content: pdu.content,
      ts: pdu.origin_server_ts,
      tweaks: tweaksOf(notification.actions),
      ...(senderName !== undefined && { sender_display_name: senderName }),
      ...((roomName ?? roomAlias) !== undefined && { room_name: roomName ?? roomAlias }),
    };
  }
}

/** Each once, the oldest first. */
function newest(notifications: readonly Notification[]): Notification[] {
  const byOrder = new Map(notifications.map((one) => [one.order, one]));
  return [...byOrder.values()].sort((a, b) => a.order - b.order).slice(-MOST_SHOWN);
}

function wake({ waiting }: Watched): void {
  const wakeUps = [...waiting];
  waiting.clear();
  for (const wakeUp of wakeUps) wakeUp();
}
