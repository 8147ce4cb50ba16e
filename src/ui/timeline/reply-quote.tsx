import { messageText } from "../model/message-text.ts";
import type { NameOf, TimelineEvent } from "../model/timeline-event.ts";

/** What a message answers, in one line. */
export function ReplyQuote({ answered, nameOf }: { answered: TimelineEvent | undefined; nameOf: NameOf }) {
  return (
    <blockquote className="quote">
      {answered ? (
        <>
          <span className="quote-name">{nameOf(answered.sender)}</span> {messageText(answered).body}
        </>
      ) : (
        "An earlier message"
      )}
    </blockquote>
  );
}
