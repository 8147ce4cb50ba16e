import { shortName } from "../model/names.ts";

/** An event to show, as the homeserver tells of it (`GET /_hearth/v1/notifications`). */
export type NewEvent = {
  room_id: string;
  type: string;
  sender: string;
  sender_display_name?: string;
  room_name?: string;
  content: Record<string, unknown>;
  ts: number;
  tweaks: Record<string, unknown>;
};

/** What the service worker is given back when somebody clicks: src/sw/notification-click.ts reads it. */
export type NoteData = { userId: string; roomId: string };

export type Note = {
  title: string;
  options: NotificationOptions & { tag: string; data: NoteData };
};

/** Longer than any browser shows. */
const MOST_CHARACTERS = 300;

/** A room of an account has one notification: a newer one takes its place. */
export const tagOf = (userId: string, roomId: string) => JSON.stringify([userId, roomId]);

export function noteOf(userId: string, event: NewEvent): Note {
  const sender = event.sender_display_name || shortName(event.sender);
  return {
    title: event.room_name ? `${sender} (${event.room_name})` : sender,
    options: {
      body: words(event).slice(0, MOST_CHARACTERS),
      tag: tagOf(userId, event.room_id),
      silent: event.tweaks.sound === undefined,
      data: { userId, roomId: event.room_id },
    },
  };
}

function words({ type, content }: NewEvent): string {
  switch (type) {
    case "m.room.encrypted":
      return "An encrypted message";
    case "m.room.member":
      return content.membership === "invite" ? "Invites you to a room" : "Has come or gone";
    case "m.call.invite":
      return "Is calling you";
    case "m.room.tombstone":
      return "The room has moved on";
    default:
      return typeof content.body === "string" && content.body !== "" ? content.body : "Something new";
  }
}
