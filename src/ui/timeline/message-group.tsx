import type { NameOf, TimelineEvent } from "../model/timeline-event.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Message } from "./message.tsx";
import type { MessageActions } from "./use-message-actions.ts";

type MessageGroupProps = {
  sender: string;
  own: boolean;
  events: readonly TimelineEvent[];
  nameOf: NameOf;
  answered(id: string): TimelineEvent | undefined;
  receipts: ReadonlyMap<string, readonly string[]>;
  actions: MessageActions;
};

/** What one person said in a row: one face, one name, and the messages. */
export function MessageGroup({
  sender,
  own,
  events,
  nameOf,
  answered,
  receipts,
  actions,
}: MessageGroupProps) {
  const name = nameOf(sender);
  return (
    <li className="group" data-own={own || undefined}>
      {!own && <Avatar id={sender} name={name} size="small" />}
      <div className="group-body">
        {!own && (
          <p className="group-name" title={sender}>
            {name}
          </p>
        )}
        <ol className="group-messages">
          {events.map((event) => (
            <Message
              key={event.key}
              event={event}
              senderName={name}
              own={own}
              answered={event.replyTo === undefined ? undefined : answered(event.replyTo)}
              nameOf={nameOf}
              readers={receipts.get(event.key)?.join(" ") ?? ""}
              actions={actions}
            />
          ))}
        </ol>
      </div>
    </li>
  );
}
