import { namesIn } from "../matrix/room-names.ts";
import { messageText } from "../model/message-text.ts";
import type { TimelineEvent } from "../model/timeline-event.ts";
import { IconButton } from "../parts/icon-button.tsx";
import type { Room } from "../sdk.ts";

/** What the next message answers, above the line it is written in. */
export function ReplyTarget({
  room,
  event,
  onCancel,
}: {
  room: Room;
  event: TimelineEvent;
  onCancel(): void;
}) {
  return (
    <div className="reply-target">
      <p className="reply-words">
        <span className="quote-name">{namesIn(room)(event.sender)}</span> {messageText(event).body}
      </p>
      <IconButton icon="close" label="Do not reply" onPress={onCancel} />
    </div>
  );
}
