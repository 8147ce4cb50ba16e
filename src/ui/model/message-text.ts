import { type NameOf, type TimelineEvent, text } from "./timeline-event.ts";

/** How a message is set: as speech, as an action, as an automatic note, or as something not shown here. */
export type MessageText = { kind: "text" | "emote" | "notice" | "file" | "gone"; body: string };

const fileWords = new Map([
  ["m.image", "Image"],
  ["m.video", "Video"],
  ["m.audio", "Audio"],
  ["m.file", "File"],
  ["m.location", "Location"],
]);

/** What a message says, in plain text. */
export function messageText(event: TimelineEvent): MessageText {
  if (event.redacted) return { kind: "gone", body: "Message deleted" };
  if (event.type === "m.room.encrypted") {
    return { kind: "gone", body: "An encrypted message, which this page cannot read" };
  }
  const body = event.replyTo
    ? withoutReplyFallback(text(event.content, "body"))
    : text(event.content, "body");
  const msgtype = text(event.content, "msgtype");
  if (msgtype === "m.emote") return { kind: "emote", body };
  if (msgtype === "m.notice") return { kind: "notice", body };
  const file = fileWords.get(msgtype);
  if (file !== undefined) return { kind: "file", body: body === "" ? file : `${file}: ${body}` };
  return body === "" ? { kind: "gone", body: "A message without text" } : { kind: "text", body };
}

/**
 * The line that stands for an event in the room list.
 * @param me - the user who looks at it
 */
export function previewOf(event: TimelineEvent, me: string, nameOf: NameOf): string {
  const { kind, body } = messageText(event);
  const line = body.replace(/\s+/g, " ").trim();
  const who = event.sender === me ? "You" : nameOf(event.sender);
  if (kind === "gone") return line;
  return kind === "emote" ? `${who} ${line}` : `${who}: ${line}`;
}

/**
 * Older clients repeat what they answer at the start of the body, as lines that begin with `> `.
 * @see https://spec.matrix.org/v1.19/client-server-api/#rich-replies
 */
export function withoutReplyFallback(body: string): string {
  const lines = body.split("\n");
  if (!lines[0]?.startsWith("> <")) return body;
  const first = lines.findIndex((line) => !line.startsWith("> "));
  if (first === -1) return body;
  return lines.slice(lines[first] === "" ? first + 1 : first).join("\n");
}
