import type { TimelineEvent } from "../model/timeline-event.ts";
import { Icon } from "../parts/icon.tsx";
import type { MessageActions } from "./use-message-actions.ts";

type MessageToolsProps = { event: TimelineEvent; mayDelete: boolean; actions: MessageActions };

/** Plain buttons, as there is a pair of them for every message. */
export function MessageTools({ event, mayDelete, actions }: MessageToolsProps) {
  return (
    <span className="message-tools">
      <button type="button" aria-label="Reply" title="Reply" onClick={() => actions.reply(event)}>
        <Icon name="reply" size={16} />
      </button>
      {mayDelete && (
        <button
          type="button"
          aria-label="Delete"
          title="Delete"
          onClick={() => actions.askToDelete(event)}
          data-testid="message-delete"
        >
          <Icon name="trash" size={16} />
        </button>
      )}
    </span>
  );
}
