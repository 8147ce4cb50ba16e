import type { TimelineEvent } from "./timeline-event.ts";

type Reply = {
  "m.relates_to": { "m.in_reply_to": { event_id: string } };
  "m.mentions": { user_ids: string[] };
};

/**
 * The content of the message somebody wrote: `/me` begins an emote.
 * @returns null when there is nothing to send
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroommessage-msgtypes
 */
export function messageContent(written: string, replyTo: Pick<TimelineEvent, "id" | "sender"> | null) {
  const text = written.trim();
  const emote = /^\/me(\s+|$)/.exec(text);
  const body = emote ? text.slice(emote[0].length) : text;
  if (body === "") return null;
  const reply: Reply | undefined = replyTo
    ? {
        "m.relates_to": { "m.in_reply_to": { event_id: replyTo.id } },
        "m.mentions": { user_ids: [replyTo.sender] },
      }
    : undefined;
  const msgtype: "m.emote" | "m.text" = emote ? "m.emote" : "m.text";
  return { msgtype, body, ...reply };
}
