import type { TimelineEvent } from "../model/timeline-event.ts";
import { EventStatus, type MatrixEvent, RelationType, type Room } from "../sdk.ts";

/**
 * The room's events as the page shows them, oldest first, those on their way out at the end. Edits are left
 * out: they show in what they edit.
 */
export function roomEvents(room: Room): MatrixEvent[] {
  const pending = room.getPendingEvents().filter((event) => event.status !== EventStatus.CANCELLED);
  return [...room.getLiveTimeline().getEvents(), ...pending].filter(
    (event) => !event.isRelation(RelationType.Replace),
  );
}

const views = new WeakMap<MatrixEvent, { version: string; view: TimelineEvent }>();

/** An SDK event as plain data; the same object as before while nothing about the event changed. */
export function viewEvent(event: MatrixEvent): TimelineEvent {
  const redacted = event.isRedacted() || event.localRedactionEvent() !== null;
  const version = `${event.getId()} ${event.status} ${redacted} ${event.replacingEventId() ?? ""}`;
  const known = views.get(event);
  if (known?.version === version) return known.view;
  const view = createView(event, redacted);
  views.set(event, { version, view });
  return view;
}

function createView(event: MatrixEvent, redacted: boolean): TimelineEvent {
  const id = event.getId() ?? "";
  const stateKey = event.getStateKey();
  const prevContent = event.getUnsigned().prev_content;
  const replyTo = event.replyEventId;
  return {
    key: event.getTxnId() ?? event.getUnsigned().transaction_id ?? id,
    id,
    type: event.getType(),
    sender: event.getSender() ?? "",
    ts: event.getTs(),
    content: event.getContent(),
    status: statusOf(event.status),
    redacted,
    edited: event.replacingEventId() !== undefined,
    ...(stateKey === undefined ? {} : { stateKey }),
    ...(prevContent === undefined ? {} : { prevContent }),
    ...(replyTo === undefined ? {} : { replyTo }),
  };
}

function statusOf(status: EventStatus | null): TimelineEvent["status"] {
  if (status === null || status === EventStatus.SENT) return "sent";
  return status === EventStatus.NOT_SENT || status === EventStatus.CANCELLED ? "failed" : "sending";
}
