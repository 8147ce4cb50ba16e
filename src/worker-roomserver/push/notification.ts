import type { PushAction } from "../../matrix/push-rules/ruleset.ts";
import type { EventNid, Nid, NotificationRow, Position } from "../storage/schema.ts";

/** An event that a user is to be notified of. */
export type Notification = {
  /** The event's place in its room, which is that in the log. */
  order: number;
  event: EventNid;
  room: Nid;
  highlight: boolean;
  /** When that was found, milliseconds since 1970. */
  ts: number;
  /** Of the rule that says so. */
  actions: readonly PushAction[];
};

/**
 * Who tells users of what is in their rooms, while the reader goes over the log. After a failure it goes over some of it
 * again: what has been told is told again, with the same order.
 */
export interface NotificationListener {
  notified(userId: string, notification: Notification): void;
  /** Something of the room is not unread any more, since that entry of the log. */
  read(userId: string, room: Nid, position: Position): void;
}

/** Rules stay the same arrays until they are changed. */
const texts = new WeakMap<readonly PushAction[], string>();

export function toRow({ event, room, highlight, ts, actions }: Notification): NotificationRow {
  let text = texts.get(actions);
  if (text === undefined) {
    text = JSON.stringify(actions);
    texts.set(actions, text);
  }
  return [event, room, highlight ? 1 : 0, ts, text];
}

/** @param negatedOrder - the second part of the row's key */
export function fromRow(
  negatedOrder: number,
  [event, room, highlight, ts, actions]: NotificationRow,
): Notification {
  return { order: -negatedOrder, event, room, highlight: highlight === 1, ts, actions: JSON.parse(actions) };
}
