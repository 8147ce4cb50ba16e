import { memo } from "react";
import { messageText } from "../model/message-text.ts";
import type { NameOf, TimelineEvent } from "../model/timeline-event.ts";
import { fullTime, timeOfDay } from "../model/times.ts";
import { Icon } from "../parts/icon.tsx";
import { MessageTools } from "./message-tools.tsx";
import { Readers } from "./readers.tsx";
import { ReplyQuote } from "./reply-quote.tsx";
import { RichText } from "./rich-text.tsx";
import { SendState } from "./send-state.tsx";
import type { MessageActions } from "./use-message-actions.ts";

type MessageProps = {
  event: TimelineEvent;
  senderName: string;
  own: boolean;
  /** The event this one answers, as far as it is loaded. */
  answered: TimelineEvent | undefined;
  nameOf: NameOf;
  /** User ids separated by spaces: a string, so that nothing is rendered again while it stays the same. */
  readers: string;
  actions: MessageActions;
};

export const Message = memo(function Message(props: MessageProps) {
  const { event, senderName, own, answered, nameOf, readers, actions } = props;
  const { kind, body } = messageText(event);
  return (
    <li
      className="message"
      data-row
      data-testid="message"
      data-event-id={event.id}
      data-status={event.status}
      data-redacted={event.redacted || undefined}
      data-sender={event.sender}
      // A tap gives a message the focus, which shows what can be done with it.
      tabIndex={-1}
    >
      <div className="message-line">
        <div className="bubble" data-kind={kind}>
          {event.replyTo !== undefined && !event.redacted && (
            <ReplyQuote answered={answered} nameOf={nameOf} />
          )}
          <p className="message-body" data-testid="message-body" dir="auto">
            {kind === "emote" && <span className="message-actor">{senderName} </span>}
            {kind === "gone" && <Icon name={event.redacted ? "trash" : "alert"} size={14} />}
            <RichText text={body} />
          </p>
          <span className="message-meta">
            {event.edited && !event.redacted && <span>edited</span>}
            <time dateTime={new Date(event.ts).toISOString()} title={fullTime(event.ts)}>
              {timeOfDay(event.ts)}
            </time>
            {own && <SendState status={event.status} />}
          </span>
        </div>
        {event.status === "sent" && !event.redacted && (
          <MessageTools event={event} mayDelete={actions.mayDelete(event)} actions={actions} />
        )}
      </div>
      {event.status === "failed" && (
        <p className="message-failed" role="alert">
          Not sent.
          <button
            type="button"
            className="link"
            onClick={() => actions.retry(event)}
            data-testid="message-retry"
          >
            Try again
          </button>
          <button type="button" className="link" onClick={() => actions.discard(event)}>
            Discard
          </button>
        </p>
      )}
      {readers !== "" && <Readers userIds={readers.split(" ")} nameOf={nameOf} />}
    </li>
  );
});
