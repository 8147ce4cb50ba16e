import { useMemo } from "react";
import { powerIn } from "../matrix/power-in.ts";
import { roomEvents, viewEvent } from "../matrix/view-event.ts";
import { mayDo } from "../model/power.ts";
import type { TimelineEvent } from "../model/timeline-event.ts";
import { EventStatus, type MatrixEvent, type Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";

/** What can be done with a message. The same object for as long as the room is open. */
export type MessageActions = {
  mayDelete(event: TimelineEvent): boolean;
  reply(event: TimelineEvent): void;
  askToDelete(event: TimelineEvent): void;
  /** Sends a message again that could not be sent. */
  retry(event: TimelineEvent): void;
  /** Drops a message that could not be sent. */
  discard(event: TimelineEvent): void;
};

/** `reply` and `askToDelete` must be stable functions. */
export function useMessageActions(
  room: Room,
  reply: (event: TimelineEvent) => void,
  askToDelete: (event: TimelineEvent) => void,
): MessageActions {
  const client = useClient();
  return useMemo(() => {
    const find = (event: TimelineEvent): MatrixEvent | undefined =>
      roomEvents(room).find((candidate) => viewEvent(candidate).key === event.key);
    return {
      mayDelete: (event) =>
        event.sender === client.getSafeUserId() || mayDo(powerIn(room), client.getSafeUserId(), "redact"),
      reply,
      askToDelete,
      retry(event) {
        const pending = find(event);
        if (pending?.status !== EventStatus.NOT_SENT) return;
        // The message itself shows whether this went well.
        client.resendEvent(pending, room).catch((error: unknown) => console.warn("still not sent", error));
      },
      discard(event) {
        const pending = find(event);
        if (pending?.status === EventStatus.NOT_SENT) client.cancelPendingEvent(pending);
      },
    };
  }, [client, room, reply, askToDelete]);
}
